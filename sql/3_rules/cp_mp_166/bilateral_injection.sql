-- title: Both joints injected in one visit
-- section: I
-- criterion: It is the policy of health plans affiliated with Centene Corporation® that invasive pain management procedures performed
--     by a physician are medically necessary when the relevant criteria are met and the member/enrollee receives only one
--     procedure per visit, with or without radiographic guidance.
-- rank: 4
-- per: injection
-- cites: sij_injection
-- enabled: false
-- param: min_families = multiple_procedures_per_visit.min_families
-- records: procedure note
--
-- An injection in which both sides are certain: always a review. Whether an injection of both joints counts as one procedure is the plan's
-- reading of section I, so the rule is off unless a plan turns it on. A day with several kinds of procedure is left to
-- multiple_procedures_per_visit.

select
    injections.person_id,
    injections.service_date,
    false as is_violation,
    injections.doubt_bits,
    'was billed for both joints; section I covers '
    || case when $min_families = 2 then 'one procedure' else 'fewer than ' || $min_families || ' kinds of procedure' end
    || ' per visit' as rationale,
from injections
inner join visits
    on injections.person_id = visits.person_id and injections.service_date = visits.service_date
where injections.site = 'bilateral' and visits.family_count < $min_families
