//! Columns that several tables and statements share, declared once: structs, tables, statements of both
//! databases and the schema's check are made of these lists. Holds no statement.

/// Hands the columns of a usage record to the macro `$then`, behind what it was called with: for each
/// its name, its type in SQL and its type here.
macro_rules! with_usage_columns {
    ($then:ident! { $($with:tt)* }) => {
        server_rules::usage::counts::with_counts! { usage_columns_around! { $then { $($with)* } } }
    };
}

macro_rules! usage_columns_around {
    ({ $then:ident { $($with:tt)* } } $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        $then! {
            { $($with)* }
            id: Text => String,
            tenant_id: Text => String,
            user_id: Nullable<Text> => Option<String>,
            key_id: Nullable<Text> => Option<String>,
            test: Bool => bool,
            operation: Text => String,
            model: Text => String,
            price_id: Nullable<Text> => Option<String>,
            provider: Text => String,
            provider_model: Text => String,
            $($count: BigInt => i64,)+
            estimated: Bool => bool,
            credits_micros: BigInt => i64,
            cost_micros: Nullable<BigInt> => Option<i64>,
            status: Text => String,
            fault: Nullable<Text> => Option<String>,
            attempts: BigInt => i64,
            first_byte_ms: BigInt => i64,
            duration_ms: BigInt => i64,
            created_at: BigInt => i64,
            tries: Nullable<Text> => Option<String>,
            loss_micros: BigInt => i64,
            loss: Nullable<Text> => Option<String>,
            measures: Nullable<Text> => Option<String>,
        }
    };
}

/// Hands the columns of a sum to the macro `$then`, in the same way: first those that tell where it
/// stands, the primary key, then what is added up.
macro_rules! with_rollup_columns {
    ($then:ident! { $($with:tt)* }) => {
        server_rules::usage::counts::with_counts! { rollup_columns_around! { $then { $($with)* } } }
    };
}

macro_rules! rollup_columns_around {
    ({ $then:ident { $($with:tt)* } } $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        $then! {
            { $($with)* }
            [
                dimension: Text => String,
                tenant_id: Text => String,
                grain: Text => String,
                starts_at: BigInt => i64,
                key_id: Text => String,
                model: Text => String,
                provider: Text => String,
                operation: Text => String,
                test: Bool => bool,
            ]
            calls: BigInt => i64,
            failed: BigInt => i64,
            caller_faults: BigInt => i64,
            canceled: BigInt => i64,
            credits_micros: BigInt => i64,
            cost_micros: BigInt => i64,
            costed_calls: BigInt => i64,
            costed_credits_micros: BigInt => i64,
            $($count: BigInt => i64,)+
            attempts: BigInt => i64,
            duration_ms: BigInt => i64,
            first_byte_ms: BigInt => i64,
            durations: Text => String,
            first_bytes: Text => String,
        }
    };
}

/// Lets the counts of a row be read as a whole.
macro_rules! count_fields {
    ({ $row:ident } $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        impl $row {
            /// The row's counts, each turned by `read`.
            pub(crate) fn counts<E>(
                &self,
                read: impl Fn(i64) -> Result<u64, E>,
            ) -> Result<Consumed, E> {
                Ok(Consumed { $($count: read(self.$count)?,)+ })
            }
        }
    };
}

/// Lets the counts of a row be written as a whole.
macro_rules! fill_counts {
    ({ $row:ident } $($(#[$doc:meta])* $count:ident: $unit:ident,)+) => {
        impl $row {
            /// The row with these counts.
            fn counted(mut self, counts: &Consumed) -> Self {
                $(self.$count = whole(counts.$count);)+
                self
            }
        }
    };
}

/// Counts are bounded far below 2^63 where they are read; a larger one would be a bug and is cut.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The names of a list of columns with commas between, as a literal.
macro_rules! names {
    ($first:ident $(, $more:ident)* $(,)?) => {
        concat!(stringify!($first) $(, ", ", stringify!($more))*)
    };
}

/// Sets a list of columns to what was to be inserted, as a literal.
macro_rules! excluded {
    ($first:ident $(, $more:ident)* $(,)?) => {
        concat!(
            stringify!($first), " = excluded.", stringify!($first)
            $(, ", ", stringify!($more), " = excluded.", stringify!($more))*
        )
    };
}

macro_rules! usage_names_of {
    ({} $($field:ident: $sql:ty => $rust:ty,)+) => { names!($($field),+) };
}

/// The names of a usage record's columns, as a literal.
macro_rules! usage_names {
    () => {
        with_usage_columns!(usage_names_of! {})
    };
}
