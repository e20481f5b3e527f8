-- title: The earlier injection that is too close
-- grain: person_id, service_date: an injection with an earlier one that is too close
-- column: person_id: the person
-- column: service_date: date of service
-- column: scope: same_site, unspecified_site or other_site: what the earlier injection is to this one
-- column: prior_service_date: date of the earlier injection
-- column: interval_days: days from the earlier injection
-- column: interval_end_date: the first date that keeps the interval of the policy to it
-- column: prior_count: injections of the series that went before, of that site or scope
-- column: clean_count: those of them in no doubt
-- column: counted_doubts: the doubts of the others
-- column: is_diagnostic: counts as diagnostic; else as therapeutic
-- column: doubts: what claims leave open of it, sorted
-- column: is_prior_diagnostic: the earlier one counts as diagnostic
-- column: prior_doubts: what claims leave open of the earlier one, sorted
-- column: may_prior_be_diagnostic: the earlier one may be diagnostic at every side certain in both
-- column: prior_claim_ids: claims of the earlier injection, sorted
-- column: breaks_left: at the left, which is certain, an earlier one came too shortly before
-- column: breaks_right: at the right, which is certain, an earlier one came too shortly before
-- column: has_other_side: a possible side does not break the rule
--
-- What the rules on intervals read. breaks_left and breaks_right say at which certain sides of the injection an earlier one came too shortly
-- before.

select
    nearest_pairs.person_id,
    nearest_pairs.service_date,
    nearest_pairs.scope,
    nearest_pairs.prior_service_date,
    nearest_pairs.service_date - nearest_pairs.prior_service_date as interval_days,
    nearest_pairs.interval_end_date,
    prior_counts.prior_count,
    prior_counts.clean_count,
    prior_counts.counted_doubts,
    later.is_diagnostic,
    later.doubts,
    nearest_pairs.is_prior_diagnostic,
    nearest_pairs.prior_doubts,
    nearest_pairs.may_prior_be_diagnostic,
    prior.claim_ids as prior_claim_ids,
    nearest_pairs.breaks_left,
    nearest_pairs.breaks_right,
    (later.is_possible_left and not nearest_pairs.breaks_left)
    or (later.is_possible_right and not nearest_pairs.breaks_right) as has_other_side,
from nearest_pairs
inner join prior_counts
    on nearest_pairs.person_id = prior_counts.person_id and nearest_pairs.service_date = prior_counts.service_date
inner join injections as later
    on nearest_pairs.person_id = later.person_id and nearest_pairs.service_date = later.service_date
inner join injections as prior
    on nearest_pairs.person_id = prior.person_id and nearest_pairs.prior_service_date = prior.service_date
