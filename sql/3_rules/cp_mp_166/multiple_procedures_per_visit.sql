-- title: More than one invasive pain procedure in a visit
-- section: I
-- criterion: It is the policy of health plans affiliated with Centene Corporation® that invasive pain management procedures performed
--     by a physician are medically necessary when the relevant criteria are met and the member/enrollee receives only one
--     procedure per visit, with or without radiographic guidance.
-- rank: 3
-- per: date
-- cites: sij
-- param: min_families = 2
-- records: procedure notes of every procedure of that day, with the names of those who did them and the times
--
-- One procedure per visit: a finding is a day with procedures of $min_families families or more, one of them for the sacroiliac joint. It is
-- a violation where one practitioner performed procedures of two families that day, and neither family has codes that also stand for
-- anaesthesia or go with an office visit. Similar billing that complies: two visits on one day, or two practitioners, as a modifier states;
-- and a joint injection billed by both physician and facility, which is one procedure.

select
    person_id,
    service_date,
    is_by_one_practitioner as is_violation,
    doubt_bits,
    true as may_cover_more,
    procedure_codes,
    other_claim_ids as prior_claim_ids,
    'were billed for one day, ' || family_count || ' kinds of invasive pain procedure; section I covers '
    || case when $min_families = 2 then 'one procedure' else 'fewer than ' || $min_families || ' kinds of procedure' end
    || ' per visit'
    || case
        when is_by_one_practitioner then ', and one practitioner did two of them'
        else ', and claims do not show whether it was one visit'
    end as rationale,
from visits
where family_count >= $min_families
