//! What a call is told in the language it asks for (`is_locale`, §1): the sentences an app shows to the person in front of it. What only
//! shops and vendors read stays in English, and so does everything for a language that is not here.

use super::ErrorCode;

/// A language there are sentences in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    German,
    French,
    Spanish,
}

impl Locale {
    /// By its code, with a country or without: `fr`, `fr-CA`, `fr_FR`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "de" => Some(Self::German),
            "fr" => Some(Self::French),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    /// What stands in the way, for the person in front of an app; none where only vendors meet it.
    #[must_use]
    pub const fn error(self, code: ErrorCode) -> Option<&'static str> {
        let [german, french, spanish] = match code {
            ErrorCode::Blocked => [
                "Der Server nimmt diese Anfrage gerade nicht an. Versuchen Sie es später noch einmal.",
                "Le serveur n’accepte pas cette demande pour le moment. Réessayez plus tard.",
                "El servidor no acepta esta solicitud por ahora. Inténtelo más tarde.",
            ],
            ErrorCode::Revoked => [
                "Diese Lizenz wurde gesperrt. Fragen Sie den Hersteller.",
                "Cette licence a été révoquée. Contactez l’éditeur.",
                "Esta licencia ha sido revocada. Consulte al fabricante.",
            ],
            ErrorCode::Illegal => [
                "Dieser Computer ist für die Lizenz gesperrt. Fragen Sie den Hersteller.",
                "Cet ordinateur est bloqué pour cette licence. Contactez l’éditeur.",
                "Este equipo está bloqueado para esta licencia. Consulte al fabricante.",
            ],
            ErrorCode::LicenseNotFound => [
                "Diesen Aktivierungsschlüssel gibt es nicht. Vergleichen Sie ihn mit dem Original.",
                "Cette clé d’activation n’existe pas. Comparez-la avec l’original.",
                "Esta clave de activación no existe. Compárela con la original.",
            ],
            ErrorCode::NotValid => [
                "Diese Lizenz gilt hier nicht. Fragen Sie den Hersteller.",
                "Cette licence n’est pas valable ici. Contactez l’éditeur.",
                "Esta licencia no es válida aquí. Consulte al fabricante.",
            ],
            ErrorCode::AlreadyActivated => [
                "Diese Lizenz ist schon auf einem anderen Computer aktiviert. Geben Sie sie dort frei.",
                "Cette licence est déjà activée sur un autre ordinateur. Désactivez-la d’abord sur celui-ci.",
                "Esta licencia ya está activada en otro equipo. Libérela allí primero.",
            ],
            ErrorCode::Expired => [
                "Diese Lizenz ist abgelaufen. Verlängern Sie sie.",
                "Cette licence a expiré. Renouvelez-la.",
                "Esta licencia ha caducado. Renuévela.",
            ],
            ErrorCode::NoMoreActivations => [
                "Alle Plätze dieser Lizenz sind vergeben. Geben Sie einen Computer frei, den Sie nicht mehr brauchen.",
                "Toutes les activations de cette licence sont utilisées. Libérez un ordinateur dont vous n’avez plus besoin.",
                "Todas las activaciones de esta licencia están en uso. Libere un equipo que ya no necesite.",
            ],
            ErrorCode::OtherVersion => [
                "Dieser Aktivierungsschlüssel ist für eine andere Version.",
                "Cette clé d’activation est destinée à une autre version.",
                "Esta clave de activación es para otra versión.",
            ],
            ErrorCode::TooManyReleases => [
                "Diese Lizenz wurde zu oft oder zu früh freigegeben. Fragen Sie den Hersteller.",
                "Cette licence a été désactivée trop souvent ou trop tôt. Contactez l’éditeur.",
                "Esta licencia se ha liberado demasiadas veces o demasiado pronto. Consulte al fabricante.",
            ],
            ErrorCode::TooManyTrials => [
                "Auf diesem Computer wurde das Produkt schon ausprobiert.",
                "Ce produit a déjà été essayé sur cet ordinateur.",
                "Este producto ya se ha probado en este equipo.",
            ],
            ErrorCode::TooManyActivationsPerSystem => [
                "Dieser Computer wurde zu oft aktiviert. Fragen Sie den Hersteller.",
                "Cet ordinateur a été activé trop souvent. Contactez l’éditeur.",
                "Este equipo se ha activado demasiadas veces. Consulte al fabricante.",
            ],
            ErrorCode::NotActivated | ErrorCode::NotActivatedHere => [
                "Diese Lizenz ist auf diesem Computer nicht aktiviert.",
                "Cette licence n’est pas activée sur cet ordinateur.",
                "Esta licencia no está activada en este equipo.",
            ],
            ErrorCode::ActivatedElsewhere => [
                "Diese Lizenz ist auf einem anderen Computer aktiviert.",
                "Cette licence est activée sur un autre ordinateur.",
                "Esta licencia está activada en otro equipo.",
            ],
            ErrorCode::OtherProduct => [
                "Dieser Aktivierungsschlüssel gehört zu einem anderen Produkt.",
                "Cette clé d’activation appartient à un autre produit.",
                "Esta clave de activación pertenece a otro producto.",
            ],
            ErrorCode::DeactivationCode => [
                "Dieser Code passt nicht. Lassen Sie die Anwendung einen neuen machen.",
                "Ce code ne convient pas. Demandez-en un nouveau à l’application.",
                "Este código no es correcto. Genere uno nuevo en la aplicación.",
            ],
            ErrorCode::ComputerKeyMismatch => [
                "Der Schlüssel dieses Computers stimmt nicht. Aktivieren Sie ihn neu.",
                "La clé de cet ordinateur ne correspond pas. Activez-le à nouveau.",
                "La clave de este equipo no coincide. Actívelo de nuevo.",
            ],
            _ => return None,
        };
        Some(match self {
            Self::German => german,
            Self::French => french,
            Self::Spanish => spanish,
        })
    }

    /// That a license is good.
    #[must_use]
    pub const fn valid(self) -> &'static str {
        match self {
            Self::German => "Die Lizenz ist gültig.",
            Self::French => "La licence est valide.",
            Self::Spanish => "La licencia es válida.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_with_its_country_and_without() {
        for (text, locale) in [
            ("fr", Some(Locale::French)),
            ("FR-ca", Some(Locale::French)),
            ("de_AT", Some(Locale::German)),
            (" es ", Some(Locale::Spanish)),
            ("ja", None),
            ("", None),
        ] {
            assert_eq!(Locale::parse(text), locale, "{text}");
        }
    }

    #[test]
    fn every_language_says_all_that_one_says() {
        let all = [Locale::German, Locale::French, Locale::Spanish];
        for code in [ErrorCode::Revoked, ErrorCode::Expired, ErrorCode::NoMoreActivations, ErrorCode::TooManyTrials] {
            let said = all.map(|locale| locale.error(code).unwrap());
            assert!(said[0] != said[1] && said[1] != said[2]);
            assert!(said.iter().all(|text| text.ends_with('.')));
        }
        // What a vendor has to mend is told as it is.
        assert!(all.iter().all(|locale| locale.error(ErrorCode::MissingArgument).is_none()));
    }
}
