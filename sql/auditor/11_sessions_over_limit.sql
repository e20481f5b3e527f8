-- title: Injection sessions over a limit, as a federal audit counts them
--
-- By session, a date with an injection is one, whatever the sides; by site, each certain side of a date is one, and an injection without a
-- certain side is none. The dollars of a date count once.

-- noqa: disable=LT02
create macro sessions_over_limit(max_sessions) as table
with counted_tracks as (
    select
        *,
        case when track = 'any' then 'session' else 'site' end as counted_by,
        not is_diagnostic and count_12_months >= max_sessions as is_over,
    from timelines
    where track in ('any', 'left', 'right')
),

session_dates as (
    select
        counted_by,
        policy_id,
        person_id,
        service_date,
        count(*) as sessions,
        count(case when is_over then 1 end) as over_sessions,
    from counted_tracks
    group by counted_by, policy_id, person_id, service_date
),

counted_injections as (
    select
        session_dates.counted_by,
        session_dates.sessions,
        session_dates.over_sessions,
        case when session_dates.over_sessions > 0 then injection_findings.paid_amount end as over_paid_amount,
        case when session_dates.over_sessions > 0 then injection_findings.person_id end as over_person_id,
        case when session_dates.over_sessions > 0 then injection_findings.billing_npis else [] end as over_billing_npis,
        injection_findings.policy_id,
        injection_findings.line_count,
        injection_findings.determination,
    from session_dates
    inner join injection_findings
        on session_dates.policy_id = injection_findings.policy_id
        and session_dates.person_id = injection_findings.person_id
        and session_dates.service_date = injection_findings.service_date
)

select
    policy_id,
    counted_by,
    sum(line_count)::bigint as line_count,
    sum(sessions)::bigint as sessions,
    sum(over_sessions)::bigint as over_sessions,
    coalesce(sum(over_paid_amount), 0)::decimal(14, 2) as over_paid_amount,
    coalesce(sum(case when determination = 'violation' then over_sessions end), 0)::bigint as violation_sessions,
    coalesce(sum(case when determination = 'violation' then over_paid_amount end), 0)::decimal(14, 2) as violation_paid_amount,
    coalesce(sum(case when determination = 'review' then over_sessions end), 0)::bigint as review_sessions,
    coalesce(sum(case when determination = 'review' then over_paid_amount end), 0)::decimal(14, 2) as review_paid_amount,
    len(list_distinct(flatten(list(over_billing_npis)))) as over_payees,
    count(distinct over_person_id) as over_persons,
from counted_injections
group by policy_id, counted_by
order by policy_id, counted_by;

comment on macro table sessions_over_limit is
'sessions_over_limit(max_sessions): injections beyond max_sessions in the months over which the policy counts, by session (date) and by '
'site (certain side), their dollars, payees and persons; violation and review say what this run found on the lines of these injections, '
'by whichever rule; the rest has no finding, for instance under coverage that takes precedence';
