-- The code before knows three, and can't read others.
DELETE FROM models WHERE operation NOT IN ('chat', 'embedding', 'image');
ALTER TABLE models ADD CONSTRAINT models_operation_check CHECK (operation IN ('chat', 'embedding', 'image'));
