-- title: What else was done on the day of an injection
-- grain: person_id, service_date: an injection on a day with another invasive pain procedure
-- column: person_id: the person
-- column: service_date: date of service
-- column: other_family_count: other families of procedures on the day
-- column: is_by_one_practitioner: claims name one practitioner for the injection and a procedure that stands for nothing else
-- column: is_authorized: a line of the injection or of another family has a prior authorization
-- column: doubts: what claims leave open of it, sorted
-- column: other_procedure_codes: codes of the other families, sorted
-- column: other_claim_ids: claims of the other families, sorted
--
-- Block and radiofrequency of the joint's nerves are no other procedure here: sections IV and V speak of these. One practitioner did both
-- where a line of the injection and one of another family, not an inconclusive one, were rendered by the same person, neither a facility's
-- line, and no line of either family is marked as a separate visit or practitioner.

with family_lines as (
    select
        person_id,
        service_date,
        family_id,
        is_injection,
        any_value(is_inconclusive) as is_inconclusive,
        bool_or(is_marked_separate) as is_marked_separate,
        coalesce(list(rendering_npi) filter (where rendering_npi is not null and not is_facility), []) as rendering_npis,
        bool_or(list_contains(doubts, 'authorized')) as is_authorized,
        list(hcpcs_code) as procedure_codes,
        list(claim_id) as claim_ids,
    from policy_lines
    where is_injection or not is_sij
    group by person_id, service_date, family_id, is_injection
)

select
    injections.person_id,
    injections.service_date,
    count(*) as other_family_count,
    bool_or(
        list_has_any(injections.rendering_npis, others.rendering_npis)
        and not (others.is_inconclusive or injections.is_marked_separate or others.is_marked_separate)
    ) as is_by_one_practitioner,
    bool_or(injections.is_authorized or others.is_authorized) as is_authorized,
    list_sort(list_distinct(flatten(list(groups.doubts)) || any_value(injection_groups.doubts))) as doubts,
    list_sort(list_distinct(flatten(list(others.procedure_codes)))) as other_procedure_codes,
    list_sort(list_distinct(flatten(list(others.claim_ids)))) as other_claim_ids,
from family_lines as injections
inner join family_lines as others
    on
        injections.person_id = others.person_id
        and injections.service_date = others.service_date
        and not others.is_injection
inner join site_groups as groups
    on
        others.person_id = groups.person_id
        and others.service_date = groups.service_date
        and groups.group_kind = 'family'
        and others.family_id = groups.group_id
inner join site_groups as injection_groups
    on
        injections.person_id = injection_groups.person_id
        and injections.service_date = injection_groups.service_date
        and injection_groups.group_kind = 'family'
        and injections.family_id = injection_groups.group_id
where injections.is_injection
group by injections.person_id, injections.service_date
