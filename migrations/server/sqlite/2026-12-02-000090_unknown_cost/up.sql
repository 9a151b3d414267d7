-- A cost that is not known is NULL, in records and in what waits to be filed; sums say how many calls, and
-- how many credits, they know the cost of.
--
-- Expand: records may leave the cost out, sums get two columns. Fill: see below. There is nothing to
-- contract. Settlements only insert, so a server of before that still runs goes on charging; its lists and
-- its filing refuse records without a cost, which wait for a server of now.
--
-- Records of before say 0 both for what cost nothing and for what nobody knew, and which it was can't be
-- told any more. Unknown cost must never pass for profit, so a 0 becomes unknown wherever the call came to
-- something: something was charged, or lost, or it succeeded and counted something. Test calls and
-- calls that came to nothing keep their 0: nobody takes anything for them. Calls that nobody knows the end
-- of become unknown.
-- SQLite can't take NOT NULL away: a column of another name takes its place. No reader goes by their order.
ALTER TABLE usage_records ADD COLUMN known_cost_micros BIGINT CHECK (known_cost_micros >= 0);
UPDATE usage_records SET known_cost_micros = CASE WHEN cost_micros = 0 AND NOT test AND (
    credits_micros > 0 OR loss_micros > 0 OR fault = 'unknown' OR (status = 'succeeded' AND
    input_tokens + cached_input_tokens + cache_write_tokens + output_tokens + reasoning_tokens + images
    + media_ms + characters > 0)) THEN NULL ELSE cost_micros END;
ALTER TABLE usage_records DROP COLUMN cost_micros;
ALTER TABLE usage_records RENAME COLUMN known_cost_micros TO cost_micros;
ALTER TABLE usage_inbox ADD COLUMN known_cost_micros BIGINT CHECK (known_cost_micros >= 0);
UPDATE usage_inbox SET known_cost_micros = CASE WHEN cost_micros = 0 AND NOT test AND (
    credits_micros > 0 OR loss_micros > 0 OR fault = 'unknown' OR (status = 'succeeded' AND
    input_tokens + cached_input_tokens + cache_write_tokens + output_tokens + reasoning_tokens + images
    + media_ms + characters > 0)) THEN NULL ELSE cost_micros END;
ALTER TABLE usage_inbox DROP COLUMN cost_micros;
ALTER TABLE usage_inbox RENAME COLUMN known_cost_micros TO cost_micros;
ALTER TABLE rollups ADD COLUMN costed_calls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rollups ADD COLUMN costed_credits_micros BIGINT NOT NULL DEFAULT 0;

-- Sums of which the records are still there: counted anew from these.
UPDATE rollups SET costed_calls = f.calls, costed_credits_micros = f.credits FROM (
    SELECT u.tenant_id, COALESCE(u.key_id, '') AS key_id, u.model, u.provider, u.operation, u.test,
        g.grain, u.created_at - u.created_at % g.ms AS starts_at,
        COUNT(u.cost_micros) AS calls,
        CAST(SUM(CASE WHEN u.cost_micros IS NULL THEN 0 ELSE u.credits_micros END) AS BIGINT) AS credits
    FROM usage_records u CROSS JOIN (SELECT 'hour' AS grain, 3600000 AS ms UNION ALL SELECT 'day', 86400000) g
    WHERE u.number > 0 AND u.number <= (SELECT through FROM rollup_state WHERE name = 'usage')
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
) f WHERE rollups.dimension = 'call' AND rollups.tenant_id = f.tenant_id AND rollups.grain = f.grain
    AND rollups.starts_at = f.starts_at AND rollups.key_id = f.key_id AND rollups.model = f.model
    AND rollups.provider = f.provider AND rollups.operation = f.operation AND rollups.test = f.test;
-- Those of which they are gone: all known where providers took anything, else nothing is.
UPDATE rollups SET costed_calls = calls, costed_credits_micros = credits_micros
    WHERE dimension = 'call' AND cost_micros > 0
    AND starts_at < (SELECT kept_from FROM rollup_state WHERE name = 'usage');
-- The sums above them add up.
UPDATE rollups SET costed_calls = f.calls, costed_credits_micros = f.credits FROM (
    SELECT grain, starts_at, CAST(SUM(costed_calls) AS BIGINT) AS calls,
        CAST(SUM(costed_credits_micros) AS BIGINT) AS credits
    FROM rollups WHERE dimension = 'call' AND NOT test GROUP BY grain, starts_at
) f WHERE rollups.dimension = 'all' AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET costed_calls = f.calls, costed_credits_micros = f.credits FROM (
    SELECT operation, grain, starts_at, CAST(SUM(costed_calls) AS BIGINT) AS calls,
        CAST(SUM(costed_credits_micros) AS BIGINT) AS credits
    FROM rollups WHERE dimension = 'call' AND NOT test GROUP BY operation, grain, starts_at
) f WHERE rollups.dimension = 'operation' AND rollups.operation = f.operation AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET costed_calls = f.calls, costed_credits_micros = f.credits FROM (
    SELECT model, grain, starts_at, CAST(SUM(costed_calls) AS BIGINT) AS calls,
        CAST(SUM(costed_credits_micros) AS BIGINT) AS credits
    FROM rollups WHERE dimension = 'call' AND NOT test GROUP BY model, grain, starts_at
) f WHERE rollups.dimension = 'model' AND rollups.model = f.model AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET costed_calls = f.calls, costed_credits_micros = f.credits FROM (
    SELECT provider, grain, starts_at, CAST(SUM(costed_calls) AS BIGINT) AS calls,
        CAST(SUM(costed_credits_micros) AS BIGINT) AS credits
    FROM rollups WHERE dimension = 'call' AND NOT test GROUP BY provider, grain, starts_at
) f WHERE rollups.dimension = 'provider' AND rollups.provider = f.provider AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
UPDATE rollups SET costed_calls = f.calls, costed_credits_micros = f.credits FROM (
    SELECT tenant_id, grain, starts_at, CAST(SUM(costed_calls) AS BIGINT) AS calls,
        CAST(SUM(costed_credits_micros) AS BIGINT) AS credits
    FROM rollups WHERE dimension = 'call' AND NOT test GROUP BY tenant_id, grain, starts_at
) f WHERE rollups.dimension = 'tenant' AND rollups.tenant_id = f.tenant_id AND rollups.grain = f.grain AND rollups.starts_at = f.starts_at;
