-- title: Injections, diagnostic or therapeutic
-- grain: person_id, service_date: a date with a live injection
-- column: person_id: the person
-- column: service_date: date of service; all live injection lines of the date are one injection
-- column: previous_date: the injection before it, of any series; empty in the first
-- column: series_number: number of the series among those of the person, from 1
-- column: series_seq: number in its series, from 1
-- column: series_start_date: the first injection of the series
-- column: site: left, right, bilateral or unspecified, as far as it is certain
-- column: is_certain_left: every billing provider that names a side names the left
-- column: is_certain_right: every billing provider that names a side names the right
-- column: is_possible_left: a billing provider names the left, or no side is certain
-- column: is_possible_right: a billing provider names the right, or no side is certain
-- column: side_kind: which sides are certain and which possible, in one number
-- column: doubt_bits: doubts of the injection, as bits of 0_reference/doubts.csv
-- column: is_marked_diagnostic: a line carries a modifier that marks it as diagnostic
-- column: line_count: its live lines
-- column: paid_amount: US dollars paid for them
-- column: claim_ids: their claims, sorted
-- column: is_applicable: the policy applies to a line
-- column: is_in_force: a line is not older than the policy
-- column: is_diagnostic: counts as diagnostic; else as therapeutic
-- column: is_sound: therapeutic and in no doubt
-- column: applicability: applies, precedence or not_in_force
-- column: interval_end_date: the first date that keeps the interval of the policy to this injection
-- column: count_end_date: the first date on which this injection is no longer counted
--
-- An injection is diagnostic where a modifier marks it so and fewer than $max_diagnostic_count earlier injections of its series may have been
-- at its site. Every other injection counts as therapeutic, a presumption that a provider can rebut with records. An injection is sound where
-- it is therapeutic and has no doubts.

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
