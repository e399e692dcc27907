//! The numbers of errors (`EServerErrorCode`, §2.6), and what a license document says of a license (§2.4).

/// Why a call failed, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum ErrorCode {
    Blocked = 1,
    TimeSkew = 2,
    AddressBlocked = 3,
    BadFormat = 5,
    NoData = 6,
    MethodDisabled = 7,
    AuthenticationFailed = 8,
    License = 200,
    Revoked = 201,
    Illegal = 202,
    LicenseNotFound = 203,
    NoProduct = 204,
    NotValid = 205,
    NotProvided = 206,
    AlreadyActivated = 207,
    MissingArgument = 208,
    Expired = 209,
    NoMoreActivations = 210,
    OtherVersion = 211,
    TooManyReleases = 212,
    TooManyTrials = 213,
    TooManyActivationsPerSystem = 214,
    SigningFailed = 215,
    NotActivated = 216,
    ActivatedElsewhere = 217,
    NoProductForKey = 218,
    NotActivatedHere = 219,
    OtherProduct = 220,
    DeactivationCode = 224,
    ComputerKeyMismatch = 225,
    CheckedOut = 228,
    LicenseExists = 229,
    Customer = 1900,
    CustomerExists = 1901,
    CustomerNotFound = 1904,
    Database = 2000,
    Mail = 2100,
    SmsNotConfigured = 2101,
    SmsFailed = 2102,
    Properties = 2200,
    Unknown = 3000,
}

impl ErrorCode {
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The flag of `status` that a document carries beside this error; none where the error is not about the license's state.
    #[must_use]
    pub const fn status(self) -> Option<u32> {
        Some(match self {
            Self::OtherProduct => 16,
            Self::OtherVersion => 32,
            Self::Expired => 64,
            Self::AlreadyActivated | Self::ActivatedElsewhere => 256,
            Self::NotActivatedHere | Self::NotActivated => 512,
            Self::NoMoreActivations => 1_024,
            Self::Revoked => 2_048,
            Self::Illegal | Self::NotValid => 8,
            _ => return None,
        })
    }
}

/// `status` of a license that is good: clients compare it to exactly one of these two.
pub const PERMANENT: u32 = 2;
pub const TRIAL_OR_SUBSCRIPTION: u32 = 4;
