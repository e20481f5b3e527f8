-- title: Radiofrequency ablation of the sacroiliac joint's nerves
-- section: V
-- criterion: It is the policy of health plans affiliated with Centene Corporation that radiofrequency neurotomy (conventional,
--     cooled, and pulsed) of the SIJ is considered not medically necessary because effectiveness has not been established.
-- rank: 1
-- per: code
-- cites: sij_radiofrequency
-- effective: 2020-02-01
-- text_held_from: 2020-02-01
-- records: procedure note and the medical-necessity letter, where one was sent
--
-- The policy considers radiofrequency ablation of these nerves not medically necessary, whatever the technique, from the day on which it
-- first names it; the code is older. Similar billing that complies: an ablation before that day; ablation of facet joint nerves, which has
-- codes of its own.

select
    site_groups.person_id,
    site_groups.service_date,
    site_groups.group_id as hcpcs_code,
    true as is_violation,
    site_groups.doubt_bits,
    'was billed for a procedure that section V holds not medically necessary; no interval or count would make it comply' as rationale,
from site_groups
semi join procedure_codes
    on site_groups.group_id = procedure_codes.hcpcs_code and procedure_codes.family_id = $cites
