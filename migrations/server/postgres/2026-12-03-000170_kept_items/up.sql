-- In which kept response an item of an answer is: requests refer to items by their ids. An id that a
-- provider gives twice is that of the newest.
CREATE TABLE kept_items (
    tenant_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    -- Empty, as that of every response; the row goes with its response, whoever deletes that.
    parent TEXT NOT NULL CHECK (parent = ''),
    response_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, item_id),
    FOREIGN KEY (tenant_id, parent, response_id) REFERENCES kept (tenant_id, parent, id) ON DELETE CASCADE
);
CREATE INDEX kept_items_responses ON kept_items (tenant_id, parent, response_id);
-- Items of conversations by their ids.
CREATE INDEX kept_ids ON kept (tenant_id, id);
