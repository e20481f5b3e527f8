-- title: Sessions over a limit in twelve months, as a federal audit counts them
--
-- By session, a date with an injection is one, whatever the sides; by site, each certain side of a date is one, and an injection without a
-- certain side is none. A date's dollars are counted once.

-- noqa: disable=LT02
create macro sessions_over_limit(max_sessions) as table
with counted_tracks as (
    select
        *,
        if(track = 'any', 'session', 'site') as counted_by,
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

injection_lines as (
    select
        person_id,
        service_date,
        hcpcs_code,
        billing_npi,
    from lines
    where fate = 'live' and family = 'sij_injection'
),

found_dates as (
    select
        policy_id,
        person_id,
        service_date,
        bool_or(determination = 'violation') as is_violation,
    from finding_lines
    where status <> 'withdrawn' and hcpcs_code in (select injection_lines.hcpcs_code from injection_lines)
    group by policy_id, person_id, service_date
),

told_dates as (
    select
        session_dates.*,
        injections.line_count,
        injections.paid_amount,
        found_dates.is_violation,
    from session_dates
    inner join injections
        on session_dates.policy_id = injections.policy_id
        and session_dates.person_id = injections.person_id
        and session_dates.service_date = injections.service_date
    left join found_dates
        on session_dates.policy_id = found_dates.policy_id
        and session_dates.person_id = found_dates.person_id
        and session_dates.service_date = found_dates.service_date
),

over_payees as (
    select
        session_dates.counted_by,
        session_dates.policy_id,
        count(distinct injection_lines.billing_npi) as over_payees,
    from session_dates
    inner join injection_lines
        on session_dates.person_id = injection_lines.person_id and session_dates.service_date = injection_lines.service_date
    where session_dates.over_sessions > 0
    group by session_dates.counted_by, session_dates.policy_id
)

select
    told_dates.policy_id,
    told_dates.counted_by,
    sum(told_dates.line_count)::bigint as line_count,
    sum(told_dates.sessions)::bigint as sessions,
    sum(told_dates.over_sessions)::bigint as over_sessions,
    coalesce(sum(case when told_dates.over_sessions > 0 then told_dates.paid_amount end), 0)::decimal(14, 2) as over_paid_amount,
    coalesce(sum(case when told_dates.is_violation then told_dates.over_sessions end), 0)::bigint as violation_sessions,
    coalesce(
        sum(case when told_dates.is_violation and told_dates.over_sessions > 0 then told_dates.paid_amount end), 0
    )::decimal(14, 2) as violation_paid_amount,
    coalesce(sum(case when not told_dates.is_violation then told_dates.over_sessions end), 0)::bigint as review_sessions,
    coalesce(
        sum(case when not told_dates.is_violation and told_dates.over_sessions > 0 then told_dates.paid_amount end), 0
    )::decimal(14, 2) as review_paid_amount,
    coalesce(any_value(over_payees.over_payees), 0) as over_payees,
    count(distinct case when told_dates.over_sessions > 0 then told_dates.person_id end) as over_persons,
from told_dates
left join over_payees on told_dates.policy_id = over_payees.policy_id and told_dates.counted_by = over_payees.counted_by
group by told_dates.policy_id, told_dates.counted_by
order by told_dates.policy_id, told_dates.counted_by;

comment on macro table sessions_over_limit is
'sessions_over_limit(max_sessions): injections beyond max_sessions in the window of, as a rule, 12 months, counted by session (date) '
'and by site (certain side), their dollars, payees and persons; violation and review say what this run found on injection lines of '
'those dates, by whichever rule; the rest has no finding, for instance under coverage that takes precedence';
