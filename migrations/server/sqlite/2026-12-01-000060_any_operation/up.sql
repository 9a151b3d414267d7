-- What a model does is a word of the program's table of operations: a new one needs no migration. The
-- check goes with its column, which SQLite can't drop alone.
ALTER TABLE models ADD COLUMN operation_word TEXT NOT NULL DEFAULT '';
UPDATE models SET operation_word = operation;
ALTER TABLE models DROP COLUMN operation;
ALTER TABLE models RENAME COLUMN operation_word TO operation;
