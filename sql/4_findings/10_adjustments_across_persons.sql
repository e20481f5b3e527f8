-- title: Adjustments that supersede a row of another person
-- grain: row_number: a row of an adjustment
--
-- They are looked for among all kept rows, whatever their codes, by few columns; only the rows of the few claims that are found are then counted
-- once each, and dated.

with acting_persons as (
    select distinct
        data_source,
        claim_id,
        acts_on_claim_id,
        known_person_id,
    from known_rows
    where is_acting_adjustment
),

crossings as (
    select acting_persons.*
    from acting_persons
    inner join known_rows
        on
            acting_persons.acts_on_claim_id = known_rows.claim_id
            and acting_persons.data_source is not distinct from known_rows.data_source
            and acting_persons.known_person_id <> known_rows.known_person_id
),

crossing_rows as (
    select
        known_rows.* exclude (file_name, file_date, claim_version), -- noqa: RF02
        case when count(known_rows.file_date) = count(*) then min(known_rows.file_date) end as file_date,
    from known_rows
    semi join crossings
        on
            known_rows.claim_id = crossings.claim_id
            and known_rows.data_source is not distinct from crossings.data_source
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
)

select
    acting_rows.row_number,
    acting_rows.data_source,
    acting_rows.claim_id,
from acting_rows
semi join crossings
    on
        acting_rows.acts_on_claim_id = crossings.acts_on_claim_id
        and acting_rows.data_source is not distinct from crossings.data_source
        and acting_rows.known_person_id = crossings.known_person_id
where acting_rows.acts_on_claim_id <> acting_rows.claim_id
union
select
    acting_rows.row_number,
    acting_rows.data_source,
    acting_rows.claim_id,
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
