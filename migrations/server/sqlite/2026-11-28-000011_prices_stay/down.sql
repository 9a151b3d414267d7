DROP TRIGGER prices_stay;
DROP TABLE ended_prices;
