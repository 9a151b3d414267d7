//! Images of the studio as rows: what was asked for, and the picture in parts. Opens none of it.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::{on, write_tx};

use super::{ChatPlace, StudioPart};
use crate::Store;
use crate::schema::{studio_images, studio_parts};

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = studio_images)]
pub struct ImageRow {
    /// Whose.
    pub tenant_id: String,
    /// Its id.
    pub id: String,
    /// The person's.
    pub user_id: String,
    /// By which model.
    pub model: String,
    /// The call that made it.
    pub call_id: String,
    /// The picture's content type; empty where there is no picture.
    pub kind: String,
    /// What it was charged, where that was known in time.
    pub charged_micros: Option<i64>,
    /// In unix milliseconds.
    pub created_at: i64,
    /// What it counts against the tenant's bound.
    pub bytes: i64,
    /// What was asked for, sealed.
    pub sealed: Vec<u8>,
}

/// A part of the picture.
#[derive(Debug, Clone, Copy)]
pub struct ImagePart<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Of which image.
    pub image: &'a str,
    /// The how many-th, from 0.
    pub place: i64,
    /// The bytes, sealed.
    pub sealed: &'a [u8],
}

impl Store {
    /// Keeps what was asked for; the picture follows.
    pub async fn add_studio_image(&self, row: &ImageRow) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(studio_images::table)
                .values(row)
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Keeps a part of the picture.
    pub async fn add_studio_part(&self, part: ImagePart<'_>) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(studio_parts::table)
                .values((
                    studio_parts::tenant_id.eq(part.tenant.as_str()),
                    studio_parts::image_id.eq(part.image),
                    studio_parts::place.eq(part.place),
                    studio_parts::sealed.eq(part.sealed),
                ))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Says that all parts are there, and of which content type the picture is.
    pub async fn end_studio_image(
        &self,
        tenant: &TenantId,
        image: &str,
        kind: &str,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::update(studio_images::table.find((tenant.as_str(), image)))
                .set(studio_images::kind.eq(kind))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// A person's images, newest first.
    pub async fn studio_images(&self, part: StudioPart<'_>) -> Result<Vec<ImageRow>, DbError> {
        // `~` sorts behind every id.
        let (at, id) = part.after.unwrap_or((i64::MAX, "~"));
        let behind = studio_images::created_at
            .lt(at)
            .or(studio_images::created_at
                .eq(at)
                .and(studio_images::id.lt(id)));
        on!(self.db, |conn| studio_images::table
            .filter(studio_images::tenant_id.eq(part.tenant.as_str()))
            .filter(studio_images::user_id.eq(part.user.as_str()))
            .filter(studio_images::created_at.gt(part.since.unix_ms()))
            .filter(behind)
            .order((studio_images::created_at.desc(), studio_images::id.desc()))
            .limit(part.limit)
            .load(conn)
            .await)
    }

    /// One of them.
    pub async fn studio_image(
        &self,
        at: ChatPlace<'_>,
        since: Moment,
    ) -> Result<Option<ImageRow>, DbError> {
        on!(self.db, |conn| studio_images::table
            .find((at.tenant.as_str(), at.id))
            .filter(studio_images::user_id.eq(at.user.as_str()))
            .filter(studio_images::created_at.gt(since.unix_ms()))
            .first(conn)
            .await
            .optional())
    }

    /// A part of a picture.
    pub async fn studio_part(
        &self,
        tenant: &TenantId,
        image: &str,
        place: i64,
    ) -> Result<Option<Vec<u8>>, DbError> {
        on!(self.db, |conn| studio_parts::table
            .find((tenant.as_str(), image, place))
            .select(studio_parts::sealed)
            .first(conn)
            .await
            .optional())
    }
}
