-- title: Radiofrequency ablation of the sacroiliac joint's nerves
-- section: V
-- rank: 1
-- per: code
-- cites: sij_radiofrequency
-- effective: 2020-02-01
-- text_held_from: 2020-02-01
-- records: procedure note and the medical-necessity letter, where one was sent
-- criterion: It is the policy of health plans affiliated with Centene Corporation that radiofrequency neurotomy (conventional,
--     cooled, and pulsed) of the SIJ is considered not medically necessary because effectiveness has not been established.
--
-- The policy holds radiofrequency ablation of these nerves not medically necessary, whatever the technique, from the day on which it first
-- names it; the code is older. Similar billing that complies: an ablation before that day; ablation of facet joint nerves, which has codes
-- of its own.

select
    person_id,
    service_date,
    hcpcs_code,
    true as is_violation,
    doubts,
    'was billed for a procedure that section V holds not medically necessary; no interval or count would make it comply' as rationale,
from billed_codes
where family_id = $cites
