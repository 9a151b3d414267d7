DROP TABLE opened_portals;
