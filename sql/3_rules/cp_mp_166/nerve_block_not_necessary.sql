-- title: Block of the sacroiliac joint's nerves
-- section: IV
-- rank: 2
-- per: code
-- cites: sij_nerve_block
-- effective: 2020-02-01
-- text_held_from: 2020-02-01
-- records: procedure note and the medical-necessity letter, where one was sent
-- criterion: It is the policy of health plans affiliated with Centene Corporation that sacroiliac nerve blocks are considered not
--     medically necessary because effectiveness has not been established.
--
-- The policy holds blocks of the nerves that supply the joint not medically necessary, from the day on which it first names them; the code
-- is older. Similar billing that complies: a block before that day; an injection into the joint itself, which has another code.

select
    person_id,
    service_date,
    hcpcs_code,
    true as is_violation,
    doubts,
    'was billed for a procedure that section IV holds not medically necessary; no interval or count would make it comply' as rationale,
from billed_codes
where family_id = $cites
