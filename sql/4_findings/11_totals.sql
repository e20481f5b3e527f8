-- title: What the audit counted on the way
-- grain: one row
--
-- Adjustments that act on a claim of which nothing was kept, and those that supersede a row of another person, are either ordinary (an original
-- from before the first extract, a wrong member mended) or the sign of a feed that renumbers its claims: their number shows which.
-- One that acts on its own claim is no orphan: its own row was kept.

with orphan_adjustments as (
    select adjustments.row_id
    from adjustments
    semi join audited_claims
        on
            adjustments.claim_id = audited_claims.claim_id
            and adjustments.data_source is not distinct from audited_claims.data_source
    anti join known_rows
        on
            adjustments.acts_on_claim_id = known_rows.claim_id
            and adjustments.data_source is not distinct from known_rows.data_source
)

select
    (select count(*) from orphan_adjustments) as orphan_adjustments,
    (select count(*) from adjustments_across_persons) as adjustments_across_persons,
    (select count(*) from elsewhere_reversals where reversed_row_id is null) as unmatched_reversals,
    (select count(*) from line_statuses where line_status = 'after_as_of') as lines_after_as_of,
