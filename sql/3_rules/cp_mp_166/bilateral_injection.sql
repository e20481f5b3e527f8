-- title: Both joints injected in one visit
-- section: I
-- rank: 4
-- per: injection
-- cites: sij_injection
-- enabled: false
-- records: procedure note
-- criterion: It is the policy of health plans affiliated with Centene Corporation® that invasive pain management procedures performed
--     by a physician are medically necessary when the relevant criteria are met and the member/enrollee receives only one
--     procedure per visit, with or without radiographic guidance.
--
-- An injection in which both sides are certain: always a review. Whether the injection of both joints is one procedure is the plan's
-- reading of section I; the rule is off unless a plan turns it on. A day with several kinds of procedure is left to
-- multiple_procedures_per_visit.

select
    injections.person_id,
    injections.service_date,
    false as is_violation,
    injections.doubts || ['visit_open'] as doubts,
    'was billed for both joints; section I covers one procedure per visit' as rationale,
from injections
anti join visits
    on injections.person_id = visits.person_id and injections.service_date = visits.service_date
where injections.site = 'bilateral'
