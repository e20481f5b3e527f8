-- title: More than one invasive pain procedure in a visit
-- section: I
-- rank: 3
-- per: injection
-- cites: sij_injection
-- records: procedure notes of every procedure of that day, with the names of those who did them and the times
-- criterion: It is the policy of health plans affiliated with Centene Corporation® that invasive pain management procedures performed
--     by a physician are medically necessary when the relevant criteria are met and the member/enrollee receives only one
--     procedure per visit, with or without radiographic guidance.
--
-- One procedure per visit: found is an injection on a day with another invasive pain procedure. Claims show it where the injection and a
-- procedure whose codes stand for nothing else were rendered by one practitioner that day, by claims that are not a facility's. Similar billing
-- that complies: two visits on one day, or two practitioners, which a modifier says; a joint injection billed by physician and facility,
-- which is one procedure. Block and radiofrequency of the joint's nerves are left to sections IV and V.

select
    person_id,
    service_date,
    is_by_one_practitioner as is_violation,
    doubts
    || case when is_authorized then ['authorized'] else [] end
    || case when is_by_one_practitioner then [] else ['visit_open'] end as doubts,
    true as may_cover_more,
    other_procedure_codes,
    other_claim_ids as prior_claim_ids,
    'was billed with ' || other_family_count || ' other kind' || case when other_family_count = 1 then '' else 's' end
    || ' of invasive pain procedure on the day; section I covers one procedure per visit'
    || case
        when is_by_one_practitioner then ', and claims name one practitioner for both'
        else ', and claims do not show whether it was one visit'
    end as rationale,
from visits
