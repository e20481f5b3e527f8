-- title: What each live line leaves open by itself
-- grain: line_key: a live claim line
--
-- is_plain says that the line leaves none of the doubts open that question whether this procedure was done on this date. A recovered line was
-- paid once, so that nothing paid is no sign of a denial.

with kept_acted_on_claims as (
    select distinct
        known_rows.data_source,
        known_rows.claim_id,
    from known_rows
    semi join adjustments
        on
            known_rows.claim_id = adjustments.acts_on_claim_id
            and known_rows.data_source is not distinct from adjustments.data_source
),

claims_with_other_rows as (
    select distinct claim_key
    from claim_rows
    where not is_replacement
),

doubtful_lines as (
    select
        line_statuses.*,
        line_statuses.line_status = 'live'
        and coalesce(line_statuses.paid_amount, 0) = 0 and coalesce(line_statuses.allowed_amount, 0) = 0 as is_denial_unclear,
        line_statuses.is_replacement
        and case
            when line_statuses.acts_on_claim_id = line_statuses.claim_id then claims_with_other_rows.claim_key is null
            else kept_acted_on_claims.claim_id is null
        end as is_replacement_unmatched,
        list_has_any(line_statuses.modifiers, (
            select list(modifiers.modifier) from modifiers where modifiers.role = 'discontinued'
        )) as is_discontinued,
    from line_statuses
    left join claims_with_other_rows on line_statuses.claim_key = claims_with_other_rows.claim_key
    left join kept_acted_on_claims
        on
            line_statuses.acts_on_claim_id = kept_acted_on_claims.claim_id
            and line_statuses.data_source is not distinct from kept_acted_on_claims.data_source
    where line_statuses.line_status in ('live', 'recovered')
)

select
    line_key,
    list_sort(list_filter(
        [
            case when is_denial_unclear then 'denial_unclear' end,
            case when is_date_uncertain then 'date_uncertain' end,
            case when is_replacement_unmatched then 'replacement_unmatched' end,
            case when is_version_unclear then 'version_unclear' end,
            case when is_discontinued then 'discontinued' end,
            case when prior_authorization_number is not null then 'authorized' end,
            case when line_group = 'unknown' then 'line_of_business_unknown' end,
        ],
        lambda doubt: doubt is not null
    )) as doubts,
    not(is_denial_unclear or is_date_uncertain or is_replacement_unmatched or is_version_unclear) as is_plain,
from doubtful_lines
