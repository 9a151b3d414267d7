DROP TRIGGER prices_stay ON prices;
DROP FUNCTION prices_stay();
DROP TABLE ended_prices;
