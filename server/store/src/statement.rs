//! Statements with a fixed text. Each is a type of its own, so that the connection prepares it once:
//! `sql_query` is prepared anew every time, and so is every insert of a row with columns that may be left
//! out. On PostgreSQL the parameters are arrays, on SQLite the fields of one row. Holds no statement.

/// Binds fields one behind the other, with commas between them.
macro_rules! bind_fields {
    ($out:ident, $of:expr, [$($field:ident: $sql:ty),+]) => {
        let mut first = true;
        $(
            if !std::mem::take(&mut first) {
                $out.push_sql(", ");
            }
            $out.push_bind_param::<$sql, _>(&$of.$field)?;
        )+
    };
}

/// A statement with a fixed text: `before` the parameters, each cast by its bind, `after` them.
macro_rules! statement {
    ($name:ident, $before:expr, [$($field:ident: $sql:ty => $rust:ty),+ $(,)?], $after:expr) => {
        #[derive(Debug, diesel::query_builder::QueryId)]
        pub(super) struct $name { $(pub(super) $field: $rust,)+ }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql($before);
                $crate::statement::bind_fields!(out, self, [$($field: $sql),+]);
                out.push_sql($after);
                Ok(())
            }
        }

        impl<C> diesel::RunQueryDsl<C> for $name {}
    };
}

/// A statement over rows turned into one array a column.
macro_rules! over_rows {
    ($name:ident from $row:ident, $before:expr, [$($field:ident: $sql:ty => $rust:ty),+ $(,)?], $after:expr) => {
        statement!($name, $before, [$($field: Array<$sql> => Vec<$rust>),+], $after);

        impl From<Vec<$row>> for $name {
            fn from(rows: Vec<$row>) -> Self {
                let mut columns = Self { $($field: Vec::with_capacity(rows.len())),+ };
                for row in rows {
                    $(columns.$field.push(row.$field);)+
                }
                columns
            }
        }
    };
}

/// A statement on SQLite over the fields of one row, each in its place.
macro_rules! row_statement {
    ($name:ident of $row:ty, $($before:expr, [$($field:ident: $sql:ty),+ $(,)?]),+; $after:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name<'a>(pub(super) &'a $row);

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                let row = self.0;
                $(
                    out.push_sql($before);
                    $crate::statement::bind_fields!(out, row, [$($field: $sql),+]);
                )+
                out.push_sql($after);
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<diesel::SqliteConnection> for $name<'_> {}
    };
}

pub(crate) use {bind_fields, over_rows, row_statement, statement};
