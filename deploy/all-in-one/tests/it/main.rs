//! The whole product over HTTP, in one process or joined by the link, on SQLite and on PostgreSQL.

#![expect(clippy::too_many_lines, reason = "a test tells its story in one piece")]

mod answers;
mod bad_input;
mod border;
mod calls;
mod console;
mod corrections;
mod costs;
mod crash;
mod deploy_files;
mod documentation;
mod doors;
mod earlier;
mod end_users;
mod endings;
mod faults;
mod gateways;
mod kept;
mod leavers;
mod lifecycle;
mod link;
mod manners;
mod money;
mod names;
mod odd;
mod openapi;
mod overruns;
mod price_lists;
mod promises;
mod proxies;
mod rates;
mod readiness;
mod replicas;
mod routes;
mod starts;
mod studio;
mod supply;
mod support;
mod surfaces;
mod tls;
mod toy_surface;
mod vendors;
