-- title: Live lines that an unmatched adjustment or reversal may be about
-- grain: kind, row_id, line_key: a row of unmatched_rows and a live line of another claim
--
-- A line is near by its service where person, date and code agree. It is near by its number where the data source agrees, and the number of
-- the claim is the one sought but for zeros in front and what is no letter or digit; or, of the same person and date, but for a suffix: one or
-- two digits behind six characters or more.

with open_rows as (
    select
        unmatched_rows.kind,
        claim_rows.*,
        ltrim(regexp_replace(upper(unmatched_rows.sought_claim_id), '[^A-Z0-9]', '', 'g'), '0') as bare_number,
    from unmatched_rows
    inner join claim_rows on unmatched_rows.row_id = claim_rows.row_id
),

live_rows as (
    select
        *,
        ltrim(regexp_replace(upper(claim_id), '[^A-Z0-9]', '', 'g'), '0') as bare_number,
    from line_statuses
    where line_status = 'live'
),

open_numbers as (
    select
        *,
        unnest([bare_number, regexp_replace(bare_number, '[0-9]$', ''), regexp_replace(bare_number, '[0-9]{2}$', '')]) as number_stem,
    from open_rows
),

live_numbers as (
    select
        *,
        unnest([bare_number, regexp_replace(bare_number, '[0-9]$', ''), regexp_replace(bare_number, '[0-9]{2}$', '')]) as number_stem,
    from live_rows
),

near_lines as (
    select
        open_rows.kind,
        open_rows.row_id,
        live_rows.line_key,
        'service' as near_by,
    from open_rows
    inner join live_rows
        on
            open_rows.person_id = live_rows.person_id
            and open_rows.service_date = live_rows.service_date
            and open_rows.hcpcs_code = live_rows.hcpcs_code
            and open_rows.claim_key <> live_rows.claim_key
    union all
    select
        open_numbers.kind,
        open_numbers.row_id,
        live_numbers.line_key,
        'number' as near_by,
    from open_numbers
    inner join live_numbers
        on
            open_numbers.number_stem = live_numbers.number_stem
            and open_numbers.data_source is not distinct from live_numbers.data_source
            and open_numbers.claim_key <> live_numbers.claim_key
    where
        open_numbers.bare_number = live_numbers.bare_number
        or (
            open_numbers.person_id = live_numbers.person_id
            and open_numbers.service_date = live_numbers.service_date
            and length(open_numbers.number_stem) >= 6
        )
)

select
    kind,
    row_id,
    line_key,
    list(distinct near_by order by near_by) as near_by,
from near_lines
group by kind, row_id, line_key
