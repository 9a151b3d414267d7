//! Pictures at vendors that speak another format than tenants do: the request in the vendor's words, as often
//! as pictures are asked for beyond what it makes at once, and all that was made as one answer in the
//! tenant's. Counts nothing and keeps nothing.

use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use shared::clock::Clock;
use shared::dialect::neutral::WriteTo;
use shared::dialect::openai_images;
use shared::dialect::pictures::{
    NoPicture, PictureAnswer, PictureCall, PictureMaker, PictureRequest, PictureTask,
};
use shared::dialect::{BadBody, EndUserField, told};
use shared::fault::{Fault, FaultKind};
use shared::json::{self, Edit};

use super::answer::at_once;
use super::doors::{Asked, Door};
use super::request::request;
use super::{ANSWER_BYTES_MAX, ERROR_BYTES_MAX, Refused, Way};
use crate::providers::spoken::{says_all, unsaid};
use crate::providers::{Answer, Patience, Refusal, http as outbound};

/// Requests of one call at most; each makes at least one of the pictures that are asked for.
const REQUESTS_MAX: u64 = 10;

/// What a call asks for, and who makes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures {
    task: PictureTask,
    maker: &'static dyn PictureMaker,
}

impl Pictures {
    /// Of a call that is asked for in another format than it came in.
    pub(super) fn of(way: &Way<'_>) -> Option<Self> {
        if way.is_own() {
            return None;
        }
        Some(Self {
            task: way.call.surface.dialect.picture_task()?,
            maker: way.dialect.pictures()?,
        })
    }

    /// Makes one attempt.
    pub(super) async fn attempt(
        self,
        way: &Way<'_>,
        door: &impl Door,
        patience: Patience,
    ) -> Result<Answer, Box<Refused>> {
        let asked = self.asked(way)?;
        let at_once_max = self.maker.at_once(&asked, way.route.model).max(1);
        let parts = parts(&asked, at_once_max);
        let calls = parts.iter().map(|part| self.written(way, part));
        let calls = calls.collect::<Result<Vec<PictureCall>, Refusal>>()?;
        let dropped = calls.first().map(|call| call.dropped.clone());
        let made = join_all(calls.iter().map(|call| self.one(way, door, call, patience))).await;
        let all = together(made)?;
        let created = Clock::system().now().unix_seconds();
        let body = openai_images::written(&all, &asked, created);
        let mut answer = if way.call.stream {
            let events = way.call.surface.dialect.as_stream(&body);
            let events = events.ok_or_else(|| {
                Fault::new(FaultKind::InvalidAnswer, "the pictures can't be streamed")
            })?;
            Answer::events(at_once(events))
        } else {
            Answer::json(body)
        };
        answer.dropped = dropped.unwrap_or_default();
        if asked.partial > 0 {
            answer.dropped.push("partial_images".to_owned());
        }
        Ok(answer)
    }

    /// What the tenant asks for, of whom we name.
    fn asked(self, way: &Way<'_>) -> Result<PictureRequest, Refusal> {
        let body = way.call.body().map_err(|error| unsaid(&error))?;
        let mut asked = openai_images::asked(self.task, &body).map_err(|error| unsaid(&error))?;
        let put = way.fetched.put_into_pictures(&mut asked);
        put.map_err(|error| unsaid(&error))?;
        if let Some(name) = way.call.end_user.as_deref() {
            let is_taken = way.quirks.end_user != EndUserField::Nowhere;
            asked.end_user = is_taken.then(|| name.to_owned());
        }
        Ok(asked)
    }

    fn written(self, way: &Way<'_>, part: &PictureRequest) -> Result<PictureCall, Refusal> {
        let to = WriteTo {
            model: way.route.model,
            quirks: way.quirks,
            output_max: None,
        };
        let written = self.maker.write(part, to);
        let mut written = written.map_err(|error: BadBody| unsaid(&error))?;
        if way.call.end_user.is_some() {
            // A name of ours says nothing of the tenant's.
            written.dropped.retain(|field| field != "user");
        }
        says_all(way.call, &written.dropped)?;
        let options = way.route.options;
        if written.content_type == "application/json" && !options.leave_out.is_empty() {
            written.body = without(&written.body, &options.leave_out)?;
        }
        Ok(written)
    }

    /// One of the requests.
    async fn one(
        self,
        way: &Way<'_>,
        door: &impl Door,
        call: &PictureCall,
        patience: Patience,
    ) -> Result<PictureAnswer, Box<Refused>> {
        let route = way.route;
        let usual = || door.path(way.call.surface, way.dialect, route, false);
        let asked = Asked {
            method: Method::POST,
            path: call.path.clone().unwrap_or_else(usual),
            stream: false,
            body: call.body.clone(),
            content_type: &call.content_type,
            dialect: Some(way.dialect),
            headers: &[],
        };
        let request = request(door, &asked, route).await?;
        let head = outbound::send(request, patience.first_byte).await?;
        route.hear(&head.headers);
        let status = head.status.as_u16();
        if status == 401 {
            door.refused(route);
        }
        if !head.status.is_success() {
            let body = outbound::beginning(head.body, ERROR_BYTES_MAX, patience.silence).await;
            return Err(way.refused(status, &head.headers, told::refusal(&body)));
        }
        let bytes =
            outbound::whole(Vec::new(), head.body, ANSWER_BYTES_MAX, patience.silence).await?;
        if let Some(told) = told::error_in(&bytes) {
            return Err(way.refused(status, &head.headers, told));
        }
        match self.maker.read(&bytes) {
            Ok(made) => Ok(made),
            Err(NoPicture::Told(told)) => Err(way.refused(status, &head.headers, *told)),
            Err(NoPicture::Nonsense(why)) => Err(Fault::new(FaultKind::InvalidAnswer, why)
                .with_status(status)
                .into()),
        }
    }
}

/// One request for each group of pictures that is made at once. The same seed would make the same picture
/// again, so each group has the next one.
fn parts(asked: &PictureRequest, at_once: u64) -> Vec<PictureRequest> {
    let mut parts = Vec::new();
    let mut rest = asked.n.clamp(1, REQUESTS_MAX);
    while rest > 0 {
        let n = rest.min(at_once);
        rest -= n;
        let number = i64::try_from(parts.len()).unwrap_or(0);
        parts.push(PictureRequest {
            n,
            seed: asked.seed.map(|seed| seed.saturating_add(number)),
            ..asked.clone()
        });
    }
    parts
}

/// All that was made; the first refusal where nothing was.
fn together(made: Vec<Result<PictureAnswer, Box<Refused>>>) -> Result<PictureAnswer, Box<Refused>> {
    let mut all = PictureAnswer::default();
    let mut refused = None;
    for one in made {
        match one {
            Ok(answer) => {
                all.pictures.extend(answer.pictures);
                for (unit, count) in answer.usage.measures() {
                    all.usage.add(unit, count);
                }
            }
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    match refused {
        Some(error) if all.pictures.is_empty() => Err(error),
        _ => Ok(all),
    }
}

/// A body without fields that the provider does not take.
fn without(body: &Bytes, fields: &[String]) -> Result<Bytes, Fault> {
    let mut edits = Vec::new();
    let read = json::each_field(body, |name, value| {
        if fields.iter().any(|out| out == name) {
            edits.push(Edit::remove(body, &json::span(body, value)));
        }
        Ok(())
    });
    read.map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
    Ok(json::apply(body, edits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(n: u64, seed: Option<i64>) -> PictureRequest {
        PictureRequest {
            n,
            seed,
            ..PictureRequest::default()
        }
    }

    #[test]
    fn what_is_made_one_by_one_is_asked_for_one_by_one() {
        let of = |n, at_once, seed| -> Vec<(u64, Option<i64>)> {
            let parts = parts(&asked(n, seed), at_once);
            parts.into_iter().map(|part| (part.n, part.seed)).collect()
        };
        assert_eq!(of(1, 1, None), [(1, None)]);
        assert_eq!(
            of(3, 1, Some(7)),
            [(1, Some(7)), (1, Some(8)), (1, Some(9))]
        );
        assert_eq!(of(10, 4, None), [(4, None), (4, None), (2, None)]);
        assert_eq!(of(u64::MAX, 100, Some(i64::MAX)), [(10, Some(i64::MAX))]);
        assert_eq!(of(0, 1, None), [(1, None)]);
    }
}
