-- What is not filed yet would be lost with the table: it goes where records were written before.
DELETE FROM usage_records WHERE number = 0 AND id IN (SELECT id FROM usage_inbox);
INSERT INTO usage_records (id, tenant_id, user_id, key_id, test, operation, model, price_id, provider,
    provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    images, media_ms, characters, estimated, credits_micros, cost_micros, status, fault, attempts,
    first_byte_ms, duration_ms, created_at, tries, loss_micros, loss, measures, number)
SELECT id, tenant_id, user_id, key_id, test, operation, model, price_id, provider,
    provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    images, media_ms, characters, estimated, credits_micros, cost_micros, status, fault, attempts,
    first_byte_ms, duration_ms, created_at, tries, loss_micros, loss, measures, NULL
FROM usage_inbox WHERE TRUE ON CONFLICT DO NOTHING;
DROP TABLE usage_inbox;
