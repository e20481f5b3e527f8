-- title: Injections, diagnostic or therapeutic
-- grain: one row per person_id and service_date with a live injection
--
-- Diagnostic is what a modifier marks so while fewer than $max_diagnostic_count earlier injections of its series may be at its site. Every other
-- injection counts as therapeutic: the policy's presumption, which a provider rebuts with records. Sound is what is therapeutic and in no doubt.

with numbered_kinds as (
    select
        person_id,
        series_number,
        side_kind,
        service_date,
        row_number() over (
            partition by person_id, series_number, side_kind order by service_date
        ) as kind_seq,
    from injection_series
),

earlier_kinds as (
    select
        marked_injections.person_id,
        marked_injections.service_date,
        numbered_kinds.kind_seq,
    from (
        select
            injection_series.*,
            scopes.earlier_side_kind,
        from injection_series
        inner join scopes on injection_series.side_kind = scopes.side_kind
        where injection_series.is_marked_diagnostic and scopes.scope in ('same_site', 'unspecified_site')
    ) as marked_injections
    asof inner join numbered_kinds
        on
            marked_injections.person_id = numbered_kinds.person_id
            and marked_injections.series_number = numbered_kinds.series_number
            and marked_injections.earlier_side_kind = numbered_kinds.side_kind
            and marked_injections.service_date > numbered_kinds.service_date
),

earlier_counts as (
    select
        person_id,
        service_date,
        sum(kind_seq) as earlier_count,
    from earlier_kinds
    group by person_id, service_date
)

select
    injection_series.*,
    injection_series.is_marked_diagnostic
    and coalesce(earlier_counts.earlier_count, 0) < $max_diagnostic_count as is_diagnostic,
    not is_diagnostic and injection_series.doubt_bits = 0 as is_sound,
    case
        when not injection_series.is_in_force then 'not_in_force'
        when injection_series.is_applicable then 'applies'
        else 'precedence'
    end as applicability,
    (injection_series.service_date + to_months($interval_months))::date as interval_end_date,
    (injection_series.service_date + to_months($count_months))::date as count_end_date,
from injection_series
left join earlier_counts
    on
        injection_series.person_id = earlier_counts.person_id
        and injection_series.service_date = earlier_counts.service_date
