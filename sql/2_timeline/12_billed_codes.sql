-- title: Codes that a person was billed with on a date
-- grain: person_id, service_date, hcpcs_code
-- column: person_id: the person
-- column: service_date: date of service
-- column: hcpcs_code: procedure code
-- column: family_id: its family on that date
-- column: doubts: what claims leave open of it, sorted
--
-- What makes it doubtful that the service was given at all, where every line with the code leaves it so. That it was half done, on another day,
-- or in place of something else makes no difference where a service is not covered at all.

with weighed_lines as (
    select
        person_id,
        service_date,
        hcpcs_code,
        family_id,
        list_intersect(doubts, (select list(doubts.doubt_id) from doubts where doubts.is_about_existence)) as deciding_doubts,
    from policy_lines
)

select
    person_id,
    service_date,
    hcpcs_code,
    any_value(family_id) as family_id,
    case
        when bool_and(deciding_doubts <> []) then list_sort(list_distinct(flatten(list(deciding_doubts))))
        else []
    end as doubts,
from weighed_lines
group by person_id, service_date, hcpcs_code
