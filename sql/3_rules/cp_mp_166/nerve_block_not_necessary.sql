-- title: Block of the sacroiliac joint's nerves
-- section: IV
-- criterion: It is the policy of health plans affiliated with Centene Corporation that sacroiliac nerve blocks are considered not
--     medically necessary because effectiveness has not been established.
-- rank: 2
-- per: code
-- cites: sij_nerve_block
-- effective: 2020-02-01
-- text_held_from: 2020-02-01
-- records: procedure note and the medical-necessity letter, where one was sent
--
-- The policy considers blocks of the nerves that supply the joint not medically necessary, from the day on which it first names them; the
-- code is older. Similar billing that complies: a block before that day; an injection into the joint itself, which has another code.

select
    site_groups.person_id,
    site_groups.service_date,
    site_groups.group_id as hcpcs_code,
    true as is_violation,
    site_groups.doubt_bits,
    'was billed for a procedure that section IV holds not medically necessary; no interval or count would make it comply' as rationale,
from site_groups
semi join procedure_codes
    on site_groups.group_id = procedure_codes.hcpcs_code and procedure_codes.family_id = $cites
