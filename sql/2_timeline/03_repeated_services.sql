-- title: Injections that may be the one before them, sent again under another date
-- grain: person_id, service_date
--
-- Injections at most $same_service_days days apart, where for each live line of the later one there is a live line of the earlier one with
-- the same code, modifiers, billing provider and amount.

with injection_lines as (
    select *
    from policy_lines
    where is_injection
),

dated_injections as (
    select
        person_id,
        service_date,
        lag(service_date) over (partition by person_id order by service_date) as previous_date,
    from (select distinct person_id, service_date from injection_lines)
),

close_lines as (
    select
        dated_injections.previous_date,
        injection_lines.*,
    from dated_injections
    inner join injection_lines
        on dated_injections.person_id = injection_lines.person_id and dated_injections.service_date = injection_lines.service_date
    where dated_injections.service_date - dated_injections.previous_date <= $same_service_days
),

lines_of_their_own as (
    select
        close_lines.person_id,
        close_lines.service_date,
    from close_lines
    anti join injection_lines as earlier_lines
        on
            close_lines.person_id = earlier_lines.person_id
            and close_lines.previous_date = earlier_lines.service_date
            and close_lines.hcpcs_code = earlier_lines.hcpcs_code
            and close_lines.modifiers = earlier_lines.modifiers
            and close_lines.billing_npi is not distinct from earlier_lines.billing_npi
            and close_lines.paid_amount is not distinct from earlier_lines.paid_amount
)

select distinct
    close_lines.person_id,
    close_lines.service_date,
from close_lines
anti join lines_of_their_own
    on close_lines.person_id = lines_of_their_own.person_id and close_lines.service_date = lines_of_their_own.service_date
