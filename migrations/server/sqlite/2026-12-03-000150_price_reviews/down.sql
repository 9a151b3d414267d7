DROP TABLE price_pins;
DROP TABLE price_reviews;
