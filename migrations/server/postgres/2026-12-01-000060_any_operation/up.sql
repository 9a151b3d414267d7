-- What a model does is a word of the program's table of operations: a new one needs no migration.
ALTER TABLE models DROP CONSTRAINT models_operation_check;
