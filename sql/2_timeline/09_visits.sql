-- title: Visits with invasive pain procedures of several families
-- grain: person_id, service_date: a date with a live line of an SIJ family
-- column: person_id: the person
-- column: service_date: date of service
-- column: family_count: families of procedures of which the date has a live line
-- column: is_by_one_practitioner: claims show two of these procedures done by one practitioner, and no modifier tells them apart
-- column: is_applicable: the policy applies to a line of an SIJ family
-- column: doubt_bits: doubts of all families of the date, as bits of 0_reference/doubts.csv
-- column: procedure_codes: codes of the date, sorted
-- column: other_claim_ids: claims with lines of families that are not SIJ, sorted
--
-- Two procedures were performed by one practitioner where two families, one of them for the sacroiliac joint and neither inconclusive, each
-- have a line with the same rendering NPI; or, where a line has no rendering NPI, with the same billing NPI on claims that are not
-- institutional. No line of either family may have a modifier for a separate visit or practitioner.

with family_lines as (
    select
        person_id,
        service_date,
        family_id,
        is_sij,
        is_inconclusive,
        bool_or(is_marked_separate) as is_marked_separate,
        list(rendering_npi) as rendering_npis,
        list(case when not is_institutional then billing_npi end) as billing_npis,
        list(case when not is_institutional and rendering_npi is null then billing_npi end) as unrendered_billing_npis,
    from policy_lines
    group by all
),

single_practitioner_visits as (
    select distinct
        sij.person_id,
        sij.service_date,
    from family_lines as sij
    inner join family_lines as other
        on
            sij.person_id = other.person_id
            and sij.service_date = other.service_date
            and sij.family_id <> other.family_id
    where
        sij.is_sij
        and not (sij.is_inconclusive or other.is_inconclusive or sij.is_marked_separate or other.is_marked_separate)
        and (
            list_has_any(sij.rendering_npis, other.rendering_npis)
            or list_has_any(sij.unrendered_billing_npis, other.billing_npis)
            or list_has_any(sij.billing_npis, other.unrendered_billing_npis)
        )
),

family_doubts as (
    select
        person_id,
        service_date,
        bit_or(doubt_bits) as doubt_bits,
    from site_groups
    where group_kind = 'family'
    group by person_id, service_date
),

visits as (
    select
        policy_lines.person_id,
        policy_lines.service_date,
        count(distinct policy_lines.family_id) as family_count,
        bool_or(policy_lines.is_applicable and policy_lines.is_sij) as is_applicable,
        bit_or(policy_lines.doubt_bits & bits.authorized) as authorized_bits,
        list_sort(list(distinct policy_lines.hcpcs_code)) as procedure_codes,
        list_sort(coalesce(list(distinct policy_lines.claim_id) filter (
            where not policy_lines.is_sij
        ), [])) as other_claim_ids,
    from policy_lines
    cross join bits
    group by policy_lines.person_id, policy_lines.service_date
    having bool_or(policy_lines.is_sij)
)

select
    visits.person_id,
    visits.service_date,
    visits.family_count,
    single_practitioner_visits.person_id is not null as is_by_one_practitioner,
    visits.is_applicable,
    family_doubts.doubt_bits | visits.authorized_bits as doubt_bits,
    visits.procedure_codes,
    visits.other_claim_ids,
from visits
inner join family_doubts
    on
        visits.person_id = family_doubts.person_id
        and visits.service_date = family_doubts.service_date
left join single_practitioner_visits
    on
        visits.person_id = single_practitioner_visits.person_id
        and visits.service_date = single_practitioner_visits.service_date
