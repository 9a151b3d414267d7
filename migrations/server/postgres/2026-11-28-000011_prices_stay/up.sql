-- Prices that were taken away, alone or with their model: holds, records and statements name them for
-- ever. A trigger keeps them, so that no way of deleting one goes past it.
CREATE TABLE ended_prices (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    model_id TEXT COLLATE "C" NOT NULL,
    valid_from BIGINT NOT NULL,
    items TEXT NOT NULL,
    cost TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE FUNCTION prices_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ended_prices (id, model_id, valid_from, items, cost, created_at)
        VALUES (old.id, old.model_id, old.valid_from, old.items, old.cost, old.created_at);
    RETURN old;
END $$;
CREATE TRIGGER prices_stay BEFORE DELETE ON prices FOR EACH ROW EXECUTE FUNCTION prices_stay();
