//! A person's second factor: set up, taken away, and with new recovery codes.

use admin_templates::account::{RecoveryCodes, TotpSetup};
use admin_templates::form::Form;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::Data;
use server_rooms::auth::factors::FactorError;
use server_rooms::browser_sessions::{BrowserError, BrowserSessions, Proof};

use super::super::error::{PageError, PageResult};
use super::super::form::FormData;
use super::super::page_context::answers::add_cookie;
use super::super::session::{SettingUp, SignedIn};
use super::{Forms, again, wrong, wrong_field};

async fn setup_view(
    who: &SettingUp,
    browsers: &BrowserSessions,
    form: Form,
) -> Result<TotpSetup, PageError> {
    let draft = browsers.factor_draft(&who.browser.person).await?;
    Ok(TotpSetup {
        uri: draft.uri,
        secret: draft.letters,
        form,
    })
}

/// `GET {root}/security/totp`
#[handler]
pub(in super::super) async fn totp_page(
    who: SettingUp,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    match setup_view(&who, &browsers, Form::default()).await {
        Ok(view) => who.show(&view).await,
        // It is on already, or an app elsewhere was quicker.
        Err(PageError::Forbidden) => who.go(&who.at("/security")),
        Err(error) => Err(error),
    }
}

/// `POST {root}/security/totp`
#[handler]
pub(in super::super) async fn totp_on(
    who: SettingUp,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let code = posted.text("code");
    match browsers.factor_on(&who.browser, code, who.client()).await {
        Ok((codes, begun)) => {
            let (context, cookie) = who.enter(begun).await;
            let mut response = context.show(&RecoveryCodes { codes }).await?;
            add_cookie(&mut response, &cookie);
            Ok(response)
        }
        Err(BrowserError::Factor(FactorError::Wrong)) => {
            let view = setup_view(&who, &browsers, wrong("code")).await?;
            who.show_again(&view).await
        }
        Err(BrowserError::Factor(FactorError::AlreadyOn)) => who.go(&who.at("/security")),
        Err(error) => Err(error.into()),
    }
}

/// `POST {root}/security/totp/off`
#[handler]
pub(in super::super) async fn totp_off(
    who: SignedIn,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let password = posted.secret("password");
    let proof = Proof {
        password: &password,
        code: posted.text("code"),
    };
    match browsers.factor_off(&who.browser, proof, who.client()).await {
        Ok(()) => who.done(&who.at("/security"), &Notice::Saved),
        Err(error) => {
            let forms = Forms {
                totp_off: wrong(wrong_field(&error).ok_or(error)?),
                ..Forms::default()
            };
            again(&who, &browsers, forms).await
        }
    }
}

/// `POST {root}/security/recovery`
#[handler]
pub(in super::super) async fn renew_codes(
    who: SignedIn,
    posted: FormData,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let password = posted.secret("password");
    let proof = Proof {
        password: &password,
        code: posted.text("code"),
    };
    match browsers
        .renew_codes(&who.browser, proof, who.client())
        .await
    {
        Ok(codes) => who.show(&RecoveryCodes { codes }).await,
        Err(error) => {
            let forms = Forms {
                recovery: wrong(wrong_field(&error).ok_or(error)?),
                ..Forms::default()
            };
            again(&who, &browsers, forms).await
        }
    }
}
