-- title: Adjustments and reversals whose claim or line is not here
-- grain: kind, row_id: a row of claim_rows, as what it found nothing for
--
-- An orphan adjustment acts on a claim of which nothing was kept; one that acts on its own claim is none: its own row was kept. An unmatched
-- reversal is a line of a claim that holds nothing but reversals, and takes back no line. Both are either ordinary, an original from before
-- the first extract, or the sign of a feed that renumbers its claims.
--
-- sought_claim_id is the number that it names.

select
    'orphan_adjustment' as kind,
    adjustments.row_id,
    adjustments.acts_on_claim_id as sought_claim_id,
from adjustments
semi join audited_claims
    on
        adjustments.claim_id = audited_claims.claim_id
        and adjustments.data_source is not distinct from audited_claims.data_source
anti join known_rows
    on
        adjustments.acts_on_claim_id = known_rows.claim_id
        and adjustments.data_source is not distinct from known_rows.data_source
union all
select
    'unmatched_reversal' as kind,
    claim_rows.row_id,
    claim_rows.claim_id as sought_claim_id,
from elsewhere_reversals
inner join claim_rows on elsewhere_reversals.row_id = claim_rows.row_id
where elsewhere_reversals.reversed_row_id is null
