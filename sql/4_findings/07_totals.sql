-- title: What the audit counted on the way
-- grain: one row
--
-- Adjustments of a claim of which nothing was kept, and those that supersede a row of another person, are either ordinary (an original from
-- before the first extract, a corrected member number) or the sign of a feed that renumbers its claims: which it is shows in their number.
--
-- Those that supersede a row of another person are searched for among all kept rows, whatever their codes, by few columns; duplicates are
-- then removed, by all columns, from the few that were found.

with acting_rows as (
    select
        data_source,
        claim_id,
        acts_on_claim_id,
        known_person_id,
        paid_on_date,
        is_void,
    from known_rows
    where is_acting_adjustment
),

acted_on_persons as (
    select
        known_rows.data_source,
        known_rows.claim_id,
        known_rows.known_person_id,
        min(known_rows.paid_on_date) as first_paid_on_date,
    from known_rows
    semi join acting_rows
        on
            known_rows.claim_id = acting_rows.acts_on_claim_id
            and known_rows.data_source is not distinct from acting_rows.data_source
    group by known_rows.data_source, known_rows.claim_id, known_rows.known_person_id
),

crossing_rows as (
    select acting_rows.*
    from acting_rows
    inner join acted_on_persons
        on
            acting_rows.acts_on_claim_id = acted_on_persons.claim_id
            and acting_rows.data_source is not distinct from acted_on_persons.data_source
            and acting_rows.known_person_id <> acted_on_persons.known_person_id
    where
        acting_rows.acts_on_claim_id <> acting_rows.claim_id
        or acted_on_persons.first_paid_on_date < acting_rows.paid_on_date
        or (acted_on_persons.first_paid_on_date = acting_rows.paid_on_date and acting_rows.is_void)
),

crossing_copies as (
    select known_rows.*
    from known_rows
    semi join crossing_rows
        on
            known_rows.claim_id = crossing_rows.claim_id
            and known_rows.data_source is not distinct from crossing_rows.data_source
            and known_rows.acts_on_claim_id = crossing_rows.acts_on_claim_id
            and known_rows.known_person_id = crossing_rows.known_person_id
            and known_rows.paid_on_date = crossing_rows.paid_on_date
            and known_rows.is_void = crossing_rows.is_void
    where known_rows.is_acting_adjustment
),

adjustments_across_persons as (
    select distinct * exclude (file_name, file_date, filed_on_date)
    from crossing_copies
),

orphan_adjustments as (
    select adjustments.row_id
    from adjustments
    semi join audited_claims
        on
            adjustments.claim_id = audited_claims.claim_id
            and adjustments.data_source is not distinct from audited_claims.data_source
    anti join kept_lines
        on
            adjustments.acts_on_claim_id = kept_lines.claim_id
            and adjustments.data_source is not distinct from kept_lines.data_source
    where adjustments.is_on_other_claim
)

select
    (select count(*) from orphan_adjustments) as orphan_adjustments,
    (select count(*) from adjustments_across_persons) as adjustments_across_persons,
    (select count(*) from elsewhere_reversals where reversed_row_id is null) as unmatched_reversals,
    (select count(*) from line_statuses where line_status = 'after_as_of') as lines_after_as_of,
