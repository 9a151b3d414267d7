-- The code before knows three, and can't read others.
DELETE FROM models WHERE operation NOT IN ('chat', 'embedding', 'image');
ALTER TABLE models ADD COLUMN operation_word TEXT NOT NULL DEFAULT 'chat'
    CHECK (operation_word = 'chat' OR operation_word = 'embedding' OR operation_word = 'image');
UPDATE models SET operation_word = operation;
ALTER TABLE models DROP COLUMN operation;
ALTER TABLE models RENAME COLUMN operation_word TO operation;
