//! Short messages to phones, by a service on the web. Twilio's HTTP API is the first form of it; whoever adds another adds it here.

use super::{Desk, Fault, settings::Settings};

/// Hands a text over. A fault comes with whether it may pass by itself.
pub(super) async fn send(desk: &Desk, settings: &Settings, to: &str, text: &str) -> Result<Result<(), (String, bool)>, Fault> {
    let mail = &settings.mail;
    let Some(token) = desk.secret_setting("smsAuthenticationToken", mail.sms_token.as_ref())? else {
        return Ok(Err(("No service for short messages is set.".to_owned(), false)));
    };
    let address = format!("{}/2010-04-01/Accounts/{}/Messages.json", mail.sms_service, mail.sms_account);
    let fields = [("To", to), ("From", mail.sms_from.as_str()), ("Body", text)];
    let answer = desk.outbound.post(&address, &fields, Some((&mail.sms_account, &token))).await;
    Ok(match answer {
        Ok((200..=299, _)) => Ok(()),
        Ok((status, answer)) => {
            let said = answer.get("message").and_then(|said| said.as_str()).unwrap_or("it said no more");
            let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
            Err((format!("The service for short messages answered {status}: {said}"), status >= 500 || status == 429))
        }
        Err(error) => Err((format!("The service for short messages: {error}."), error.passes())),
    })
}
