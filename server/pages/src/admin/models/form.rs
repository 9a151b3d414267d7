//! Forms of models, targets and prices, in the catalogue's bounds. Pure; finds every fault at once.

use admin_templates::form::{FieldError, Form};
use admin_templates::words::PriceItem;
use server_edge::date::Date;
use server_rooms::catalogue::NewModel;
use server_rooms::catalogue::check::{
    ID_BYTES_MAX, IMAGE_WORD_BYTES_MAX, OUTPUT_TOKENS_MAX, PRIORITY_MAX, PROVIDER_BYTES_MAX,
    PROVIDER_MODEL_BYTES_MAX, WEIGHT_MAX,
};
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::price::{ImagePrice, PlainPrice, PriceList, RATE_MAX};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::link::Operation;

use super::super::super::form::Posted;
use super::super::Wrong;
use super::super::again::Faults;
use super::super::days::DAY_MS;

/// Output of a chat model whose bound was not told, as the API takes it.
const CHAT_OUTPUT_TOKENS: u64 = 4_096;
/// Rates as lines, for what the other fields of a price can't say.
const RATES: &str = "rates";
/// Any size or quality, in a line of images.
const ANY: &str = "*";
/// Fields of a target.
pub(super) const TARGET: [&str; 5] = ["provider", "model", "priority", "weight", "gateway"];
/// Fields of a model's settings.
pub(super) const EDIT: [&str; 4] = [
    "max_output_tokens",
    "enabled",
    "answers_public_name",
    "is_default",
];

/// Fields of a price.
pub(super) fn price_fields() -> Vec<&'static str> {
    let items = PriceItem::OFFERED.into_iter();
    let both = items.flat_map(|item| [admin_templates::words::Word::code(item), item.cost_field()]);
    both.chain(["images", RATES, "valid_from"]).collect()
}

fn too_long(most: usize) -> FieldError {
    FieldError::TooLong(u64::try_from(most).unwrap_or(u64::MAX))
}

fn text(
    posted: &Posted,
    name: &'static str,
    bytes_max: usize,
    allowed: impl Fn(u8) -> bool,
) -> Result<String, Wrong> {
    let text = posted.text(name);
    if text.is_empty() {
        Err((name, FieldError::Required))
    } else if !text.bytes().all(allowed) {
        Err((name, FieldError::Letters))
    } else if text.len() > bytes_max {
        Err((name, too_long(bytes_max)))
    } else {
        Ok(text.to_owned())
    }
}

fn is_name(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

/// A whole number within bounds; `otherwise` where nothing was typed.
fn number(
    posted: &Posted,
    name: &'static str,
    (least, most): (u64, u64),
    otherwise: u64,
) -> Result<u64, Wrong> {
    let Some(text) = posted.optional(name) else {
        return Ok(otherwise);
    };
    let number: u64 = text.parse().map_err(|_| (name, FieldError::NotANumber))?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err((name, FieldError::OutOfRange(least, most)))
    }
}

fn small(
    posted: &Posted,
    name: &'static str,
    (least, most): (u32, u32),
    otherwise: u32,
) -> Result<u32, Wrong> {
    let bounds = (least.into(), most.into());
    let number = number(posted, name, bounds, otherwise.into())?;
    u32::try_from(number).map_err(|_| (name, FieldError::NotANumber))
}

fn gateway(posted: &Posted) -> Result<Option<String>, Wrong> {
    if posted.optional("gateway").is_none() {
        return Ok(None);
    }
    text(posted, "gateway", PROVIDER_BYTES_MAX, is_name).map(Some)
}

/// Priority, weight and gateway of a target.
pub(super) fn way(posted: &Posted, faults: &mut Faults) -> Option<(u32, u32, Option<String>)> {
    let priority = faults.take(small(posted, "priority", (0, PRIORITY_MAX), 0));
    let weight = faults.take(small(posted, "weight", (1, WEIGHT_MAX), 1));
    let gateway = faults.take(gateway(posted));
    Some((priority?, weight?, gateway?))
}

/// A target.
pub(super) fn target(posted: &Posted, faults: &mut Faults) -> Option<WeightedTarget> {
    let provider = faults.take(text(posted, "provider", PROVIDER_BYTES_MAX, is_name));
    let visible = |b: u8| b.is_ascii_graphic();
    let model = faults.take(text(posted, "model", PROVIDER_MODEL_BYTES_MAX, visible));
    let (priority, weight, gateway) = way(posted, faults)?;
    Some(WeightedTarget {
        provider: provider?,
        model: model?,
        weight,
        priority,
        gateway,
    })
}

/// The bound of output tokens.
pub(super) fn max_output(posted: &Posted, operation: Operation) -> Result<u64, Wrong> {
    let writes = operation.writes_text();
    let otherwise = if writes { CHAT_OUTPUT_TOKENS } else { 0 };
    let bounds = (u64::from(writes), OUTPUT_TOKENS_MAX);
    number(posted, "max_output_tokens", bounds, otherwise)
}

/// An amount from nothing on; `None` where nothing was typed.
fn price(text: Option<&str>) -> Result<Option<Credits>, FieldError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let amount: Credits = text.parse().map_err(|_| FieldError::NotAPrice)?;
    if amount < Credits::ZERO {
        return Err(FieldError::NotAPrice);
    }
    if amount > RATE_MAX {
        return Err(FieldError::OutOfRange(0, 1_000_000_000));
    }
    Ok(Some(amount))
}

/// A size or a quality, none where any fits; wrong where it is neither.
fn word(text: &str) -> Result<Option<String>, FieldError> {
    if text == ANY {
        return Ok(None);
    }
    let fits = text.len() <= IMAGE_WORD_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(Some(text.to_owned()))
    } else {
        Err(FieldError::Letters)
    }
}

/// `1024x1024 high 0.175 0.14`: size, quality, price and, where it is told, the provider's.
fn image_line(line: &str) -> Option<(ImagePrice, Option<ImagePrice>)> {
    let mut parts = line.split_whitespace();
    let (size, quality) = (word(parts.next()?).ok()?, word(parts.next()?).ok()?);
    let row = |credits| ImagePrice {
        size: size.clone(),
        quality: quality.clone(),
        credits,
    };
    let credits = price(Some(parts.next()?)).ok()??;
    let cost = price(parts.next()).ok()?;
    let is_whole = parts.next().is_none();
    is_whole.then(|| (row(credits), cost.map(row)))
}

/// Images of the lines, for the price and the cost.
fn images(posted: &Posted, faults: &mut Faults) -> (Vec<ImagePrice>, Vec<ImagePrice>) {
    let (mut prices, mut costs) = (Vec::new(), Vec::new());
    for (place, line) in posted.text("images").lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if let Some((price, cost)) = image_line(line) {
            prices.push(price);
            costs.extend(cost);
        } else {
            let number = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
            faults.add("images", FieldError::Line(number));
            break;
        }
    }
    (prices, costs)
}

fn items(
    posted: &Posted,
    field: fn(PriceItem) -> &'static str,
    images: Vec<ImagePrice>,
    faults: &mut Faults,
) -> Option<PlainPrice> {
    let mut typed = !images.is_empty();
    let mut read = |item| {
        let name = field(item);
        let amount = price(posted.optional(name)).map_err(|error| (name, error));
        let amount = faults.take(amount).flatten();
        typed |= amount.is_some();
        amount
    };
    let any_image = read(PriceItem::Image).map(|credits| ImagePrice {
        credits,
        ..ImagePrice::default()
    });
    let items = PlainPrice {
        per_request: read(PriceItem::Request).unwrap_or_default(),
        input_per_million: read(PriceItem::Input).unwrap_or_default(),
        cached_input_per_million: read(PriceItem::CachedInput),
        cache_write_per_million: read(PriceItem::CacheWrite),
        output_per_million: read(PriceItem::Output).unwrap_or_default(),
        reasoning_per_million: read(PriceItem::Reasoning),
        per_image: images.into_iter().chain(any_image).collect(),
    };
    typed.then_some(items)
}

/// A price with its cost; `None` where nothing was typed.
pub(super) fn prices(
    posted: &Posted,
    operation: Operation,
    faults: &mut Faults,
) -> Option<PriceList> {
    let rates = posted.optional(RATES).map(PriceList::from_text);
    let (priced, cost) = images(posted, faults);
    let priced = items(posted, admin_templates::words::Word::code, priced, faults);
    let cost = items(posted, PriceItem::cost_field, cost, faults);
    if priced.is_none() && cost.is_some() {
        // Taken as it stands, it would give the calls away.
        faults.add("input", FieldError::Required);
    }
    match rates {
        Some(_) if priced.is_some() => {
            faults.add(RATES, FieldError::OneWay);
            None
        }
        Some(Ok(list)) => Some(list),
        Some(Err(error)) => {
            faults.add(RATES, FieldError::Line(error.line));
            None
        }
        None => {
            let list = priced?.list(cost.as_ref());
            Some(list.or_free(operation.units().iter().copied()))
        }
    }
}

/// From when on a price is valid: today and nothing are now.
pub(super) fn valid_from(posted: &Posted, now: Moment) -> Result<Option<Moment>, Wrong> {
    let name = "valid_from";
    let Some(text) = posted.optional(name) else {
        return Ok(None);
    };
    let date: Date = text.parse().map_err(|_| (name, FieldError::NotADate))?;
    let start = date.start();
    if start > now {
        return Ok(Some(start));
    }
    let is_today =
        matches!(date, Date::Day(_)) && now.unix_ms().saturating_sub(start.unix_ms()) < DAY_MS;
    if is_today {
        Ok(None)
    } else {
        Err((name, FieldError::Past))
    }
}

/// What a model is for.
fn operation(posted: &Posted) -> Result<Operation, Wrong> {
    let operation = Operation::from_word(posted.text("operation"));
    operation.ok_or(("operation", FieldError::Unknown))
}

/// A new model.
pub(super) fn model(posted: &Posted) -> Result<NewModel, Vec<Wrong>> {
    let mut faults = Faults::default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    let id = faults.take(text(posted, "id", ID_BYTES_MAX, allowed));
    let operation = faults.take(operation(posted));
    let target = target(posted, &mut faults);
    let tokens = faults.take(max_output(posted, operation.unwrap_or(Operation::Image)));
    let price = prices(posted, operation.unwrap_or(Operation::Image), &mut faults);
    let new = || {
        Some(NewModel {
            id: id?,
            operation: operation?,
            targets: vec![target?],
            max_output_tokens: tokens?,
            enabled: posted.is_ticked("enabled"),
            answers_public_name: posted.is_ticked("answers_public_name"),
            is_default: false,
            price,
        })
    };
    let new = new();
    faults.unless(new)
}

/// A price as its form shows it: as rates where it says more than the other fields can.
pub(super) fn price_form(list: &PriceList) -> Form {
    let mut form = Form::default();
    let Some((price, cost)) = list.plain() else {
        form.values.insert(RATES.to_owned(), list.to_text());
        return form;
    };
    let (price, cost) = (&price, &cost.unwrap_or_default());
    let mut lines = Vec::new();
    for (items, field) in [
        (
            price,
            admin_templates::words::Word::code as fn(PriceItem) -> &'static str,
        ),
        (cost, PriceItem::cost_field),
    ] {
        let some = |amount: Credits| Some(amount).filter(|amount| *amount != Credits::ZERO);
        let plain = |row: &&ImagePrice| row.size.is_none() && row.quality.is_none();
        let values = [
            (PriceItem::Request, some(items.per_request)),
            (PriceItem::Input, some(items.input_per_million)),
            (PriceItem::CachedInput, items.cached_input_per_million),
            (PriceItem::CacheWrite, items.cache_write_per_million),
            (PriceItem::Output, some(items.output_per_million)),
            (PriceItem::Reasoning, items.reasoning_per_million),
            (
                PriceItem::Image,
                items.per_image.iter().find(plain).map(|row| row.credits),
            ),
        ];
        for (item, amount) in values {
            if let Some(amount) = amount {
                form.values
                    .insert(field(item).to_owned(), amount.to_string());
            }
        }
    }
    for row in &price.per_image {
        if row.size.is_none() && row.quality.is_none() {
            continue;
        }
        let same = |other: &&ImagePrice| other.size == row.size && other.quality == row.quality;
        let cost = cost.per_image.iter().find(same);
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| ANY.to_owned());
        let cost = cost.map_or_else(String::new, |cost| format!(" {}", cost.credits));
        let (size, quality) = (word(&row.size), word(&row.quality));
        lines.push(format!("{size} {quality} {}{cost}", row.credits));
    }
    form.values.insert("images".to_owned(), lines.join("\n"));
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(body: &str) -> Posted {
        Posted::parse(body.as_bytes()).expect("a form")
    }

    fn names(wrong: Vec<Wrong>) -> Vec<&'static str> {
        wrong.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_fault_of_a_model_is_told_at_once() {
        let form = posted(
            "id=a+b&operation=chat&provider=Open&model=&gateway=US&weight=0&priority=10\
             &max_output_tokens=0&input=-1&cost_output=x&images=1x1+high+2%0Aodd",
        );
        let wrong = names(model(&form).expect_err("faults"));
        assert_eq!(
            wrong,
            [
                "id",
                "provider",
                "model",
                "priority",
                "weight",
                "gateway",
                "max_output_tokens",
                "images",
                "input",
                "cost_output"
            ]
        );
    }

    #[test]
    fn a_price_is_read_as_it_is_shown() {
        let form = posted(
            "input=2.5&cached_input=0&output=10&image=0.04&cost_input=2&cost_image=0.03\
             &images=1024x1024+high+0.175+0.14%0A%0A*+low+0.01",
        );
        let mut faults = Faults::default();
        let read = prices(&form, Operation::Image, &mut faults).expect("a price");
        assert!(faults.unless(Some(())).is_ok());
        let (price, cost) = read.plain().expect("a plain one");
        let cost = cost.expect("a cost");
        assert_eq!(price.cached_input_per_million, Some(Credits::ZERO));
        assert_eq!(price.per_image.len(), 3);
        // What has no cost of its own has that of any image.
        assert_eq!(cost.per_image.len(), 3);
        let shown = price_form(&read);
        assert!(shown.is("images", "1024x1024 high 0.175 0.14\n* low 0.01 0.03"));
        assert!(shown.is("cached_input", "0") && shown.is("cost_image", "0.03"));
        assert!(!shown.values.contains_key("request"), "nothing is nothing");
        let empty = prices(
            &posted("images=&input="),
            Operation::Chat,
            &mut Faults::default(),
        );
        assert_eq!(empty, None);
    }

    #[test]
    fn rates_are_read_as_they_are_shown_and_told_apart_from_the_other_fields() {
        let text = "input_token,1000000,50,,context_over=200000,1\ninput_token,1000000,25,2.5,,1\n\
            output_token,1000000,100,10,,1";
        let read = |body: &str| {
            let mut faults = Faults::default();
            let list = prices(&posted(body), Operation::Chat, &mut faults);
            faults.unless(list)
        };
        let encoded = text.replace('\n', "%0D%0A").replace('=', "%3D");
        let list = read(&format!("rates={encoded}")).expect("a price");
        assert_eq!(list.rates.len(), 3);
        assert!(price_form(&list).is("rates", text));
        let both = read(&format!("rates={encoded}&input=1"));
        assert_eq!(both, Err(vec![("rates", FieldError::OneWay)]));
        let wrong = read("rates=input_token,1,1%0Aparsec,1,1");
        assert_eq!(wrong, Err(vec![("rates", FieldError::Line(2))]));
    }

    #[test]
    fn a_price_begins_now_or_later() {
        let now = Moment::from_unix_ms(1_795_255_200_000);
        let read = |text: &str| valid_from(&posted(&format!("valid_from={text}")), now);
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("2026-11-21"), Ok(None), "today is now");
        assert_eq!(read("2026-11-20"), Err(("valid_from", FieldError::Past)));
        assert!(
            read("2026-11-22")
                .expect("a day")
                .is_some_and(|at| at > now)
        );
        assert_eq!(read("soon"), Err(("valid_from", FieldError::NotADate)));
    }
}
