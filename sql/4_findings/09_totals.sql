-- title: What the audit counted on the way
-- grain: one row
--
-- Adjustments that act on a claim of which nothing was kept, and those that supersede a row of another person, are either ordinary (an original
-- from before the first extract, a wrong member mended) or the sign of a feed that renumbers its claims: their number shows which.
--
-- Those that supersede a row of another person are looked for among all kept rows, whatever their codes, by few columns; only the rows of
-- the few claims that are found are then counted once each, and dated.

with acting_persons as (
    select distinct
        data_source,
        claim_id,
        acts_on_claim_id,
        known_person_id,
    from known_rows
    where is_acting_adjustment
),

acted_on_persons as (
    select distinct
        known_rows.data_source,
        known_rows.claim_id,
        known_rows.known_person_id,
    from known_rows
    semi join acting_persons
        on
            known_rows.claim_id = acting_persons.acts_on_claim_id
            and known_rows.data_source is not distinct from acting_persons.data_source
),

crossing_claims as (
    select distinct
        acting_persons.data_source,
        acting_persons.claim_id,
    from acting_persons
    inner join acted_on_persons
        on
            acting_persons.acts_on_claim_id = acted_on_persons.claim_id
            and acting_persons.data_source is not distinct from acted_on_persons.data_source
            and acting_persons.known_person_id <> acted_on_persons.known_person_id
),

crossing_rows as (
    select
        known_rows.* exclude (file_name, file_date), -- noqa: RF02
        case when count(known_rows.file_date) = count(*) then min(known_rows.file_date) end as file_date,
    from known_rows
    semi join crossing_claims
        on
            known_rows.claim_id = crossing_claims.claim_id
            and known_rows.data_source is not distinct from crossing_claims.data_source
    group by all
),

dated_rows as (
    select
        *,
        row_number() over () as row_number,
        coalesce(
            case
                when paid_date is not null then paid_date
                when count(paid_date) over same_file = 0 and count(case when file_date is null then paid_date end) over same_line = 0
                    then file_date
            end,
            date '0001-01-01'
        ) as adjudicated_on_date,
    from crossing_rows
    window
        same_line as (partition by data_source, claim_id, claim_line_number),
        same_file as (partition by data_source, claim_id, claim_line_number, file_date)
),

acting_rows as (
    select *
    from dated_rows
    where is_acting_adjustment
),

adjustments_across_persons as (
    select acting_rows.row_number
    from acting_rows
    inner join acted_on_persons
        on
            acting_rows.acts_on_claim_id = acted_on_persons.claim_id
            and acting_rows.data_source is not distinct from acted_on_persons.data_source
            and acting_rows.known_person_id <> acted_on_persons.known_person_id
    where acting_rows.acts_on_claim_id <> acting_rows.claim_id
    union
    select acting_rows.row_number
    from acting_rows
    inner join dated_rows as superseded_rows
        on
            acting_rows.claim_id = superseded_rows.claim_id
            and acting_rows.data_source is not distinct from superseded_rows.data_source
            and acting_rows.known_person_id <> superseded_rows.known_person_id
    where
        acting_rows.acts_on_claim_id = acting_rows.claim_id
        and (
            superseded_rows.adjudicated_on_date < acting_rows.adjudicated_on_date
            or (
                acting_rows.is_void
                and (
                    superseded_rows.adjudicated_on_date = acting_rows.adjudicated_on_date
                    or acting_rows.adjudicated_on_date = date '0001-01-01'
                )
            )
        )
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
