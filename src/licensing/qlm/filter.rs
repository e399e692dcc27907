//! `is_filter` of `GetLicensesHttp` (§8): conditions over the columns of a license, read by a small grammar and never given to a database.
//!
//! ```text
//! any     = all { "or" all }
//! all     = one { "and" one }
//! one     = [ "not" ] ( "(" any ")" | column compare value )
//! compare = "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" | "like"
//! value   = number | "'" text "'"
//! ```

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};

/// The longest filter, in bytes, and the deepest.
pub const MOST_BYTES: usize = 512;
const DEEPEST: usize = 4;

/// What a filter may ask about, in lower case.
pub const COLUMNS: [&str; 17] = [
    "productid",
    "majorversion",
    "minorversion",
    "activationkey",
    "email",
    "fullname",
    "orderid",
    "subscriptionid",
    "licensemodel",
    "numlicenses",
    "availablelicenses",
    "subscriptionexpirydate",
    "maintenancerenewaldate",
    "affiliateid",
    "userdata1",
    "disabled",
    "orderdate",
];

#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every license.
    All,
    Any(Vec<Filter>),
    Each(Vec<Filter>),
    Not(Box<Filter>),
    Is(&'static str, Compare, Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    /// `%` stands for any text.
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(i64),
    Text(String),
}

/// Why a filter is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("is_filter has up to 512 bytes.")]
    TooLong,
    #[error("is_filter has up to 4 brackets within each other.")]
    TooDeep,
    #[error("is_filter knows no column {0}. It knows {list}.", list = COLUMNS.join(", "))]
    Column(String),
    #[error("is_filter cannot be read at {0:?}. It is such as ProductID=1 and Email like '%@example.com'.")]
    Syntax(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(i64),
    Text(String),
    Compare(Compare),
    Open,
    Close,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Says where it cannot be read, and which columns there are.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MOST_BYTES {
            return Err(FilterError::TooLong);
        }
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(Self::All);
        }
        let mut reader = Reader { tokens: &tokens, at: 0 };
        let filter = reader.any(0)?;
        match reader.tokens.get(reader.at) {
            None => Ok(filter),
            Some(token) => Err(wrong(token)),
        }
    }

    /// Whether a license fits, by what its columns hold.
    #[must_use]
    pub fn fits(&self, column: &dyn Fn(&str) -> Option<Value>) -> bool {
        match self {
            Self::All => true,
            Self::Any(filters) => filters.iter().any(|filter| filter.fits(column)),
            Self::Each(filters) => filters.iter().all(|filter| filter.fits(column)),
            Self::Not(filter) => !filter.fits(column),
            Self::Is(name, compare, value) => column(name).is_some_and(|held| holds(&held, *compare, value)),
        }
    }
}

fn holds(held: &Value, compare: Compare, value: &Value) -> bool {
    let order = match (held, value) {
        (Value::Number(held), Value::Number(value)) => held.cmp(value),
        // A number in quotes is one.
        (Value::Number(held), Value::Text(value)) => match value.trim().parse::<i64>() {
            Ok(value) => held.cmp(&value),
            Err(_) => return compare == Compare::NotEqual,
        },
        (Value::Text(held), value) => {
            let value = match value {
                Value::Text(value) => value.to_lowercase(),
                Value::Number(value) => value.to_string(),
            };
            let held = held.to_lowercase();
            if compare == Compare::Like {
                return like(&held, &value);
            }
            // What has no date is neither before nor after one.
            if held.is_empty() && !matches!(compare, Compare::Equal | Compare::NotEqual) {
                return false;
            }
            held.cmp(&value)
        }
    };
    match compare {
        Compare::Equal | Compare::Like => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::More => order.is_gt(),
        Compare::MoreOrEqual => order.is_ge(),
    }
}

/// Whether a text is like a pattern; the parts between `%` stand in it in their order.
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn wrong(token: &Token) -> FilterError {
    FilterError::Syntax(match token {
        Token::Word(word) => word.chars().take(40).collect(),
        Token::Number(number) => number.to_string(),
        Token::Text(text) => text.chars().take(40).collect(),
        Token::Compare(_) => "a comparison".to_string(),
        Token::Open => "(".to_string(),
        Token::Close => ")".to_string(),
    })
}

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '<' | '>' | '=' | '!' => {
                let known = [
                    ("<>", Compare::NotEqual),
                    ("!=", Compare::NotEqual),
                    ("<=", Compare::LessOrEqual),
                    (">=", Compare::MoreOrEqual),
                    ("<", Compare::Less),
                    (">", Compare::More),
                    ("=", Compare::Equal),
                ];
                let found = known.iter().find(|(sign, _)| rest.starts_with(sign));
                let (sign, compare) = found.ok_or_else(|| FilterError::Syntax(rest.chars().take(10).collect()))?;
                (Token::Compare(*compare), &rest[sign.len()..])
            }
            '\'' => {
                let mut text = String::new();
                let mut after = &rest[1..];
                loop {
                    let (part, next) =
                        after.split_once('\'').ok_or_else(|| FilterError::Syntax("a text that does not end".to_string()))?;
                    text.push_str(part);
                    match next.strip_prefix('\'') {
                        // Two are one of them.
                        Some(more) => {
                            text.push('\'');
                            after = more;
                        }
                        None => {
                            after = next;
                            break;
                        }
                    }
                }
                (Token::Text(text), after)
            }
            c if c.is_ascii_digit() || c == '-' => {
                let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
                let number = rest[..end].parse().map_err(|_| FilterError::Syntax(rest[..end].chars().take(40).collect()))?;
                (Token::Number(number), &rest[end..])
            }
            c if c.is_ascii_alphabetic() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                let word = rest[..end].to_ascii_lowercase();
                let token = if word == "like" { Token::Compare(Compare::Like) } else { Token::Word(word) };
                (token, &rest[end..])
            }
            _ => return Err(FilterError::Syntax(rest.chars().take(10).collect())),
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<&Token, FilterError> {
        let token = self.tokens.get(self.at).ok_or_else(|| FilterError::Syntax("its end".to_string()))?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Word(next)) if next == word);
        self.at += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut filters = Vec::from([self.each(depth)?]);
        while self.takes("or") {
            filters.push(self.each(depth)?);
        }
        Ok(if filters.len() == 1 { filters.remove(0) } else { Filter::Any(filters) })
    }

    fn each(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut filters = Vec::from([self.one(depth)?]);
        while self.takes("and") {
            filters.push(self.one(depth)?);
        }
        Ok(if filters.len() == 1 { filters.remove(0) } else { Filter::Each(filters) })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if depth > DEEPEST {
            return Err(FilterError::TooDeep);
        }
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        let column = match self.next()? {
            Token::Open => {
                let inner = self.any(depth + 1)?;
                return match self.next()? {
                    Token::Close => Ok(inner),
                    other => Err(wrong(other)),
                };
            }
            Token::Word(word) => {
                COLUMNS.iter().find(|column| *column == word).ok_or_else(|| FilterError::Column(word.clone()))?
            }
            other => return Err(wrong(other)),
        };
        let compare = match self.next()? {
            Token::Compare(compare) => *compare,
            other => return Err(wrong(other)),
        };
        let value = match self.next()? {
            Token::Number(number) => Value::Number(*number),
            Token::Text(text) => Value::Text(text.clone()),
            other => return Err(wrong(other)),
        };
        Ok(Filter::Is(column, compare, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(filter: &str) -> bool {
        let column = |name: &str| match name {
            "productid" => Some(Value::Number(1)),
            "email" => Some(Value::Text("Ann@Example.com".to_string())),
            "orderid" => Some(Value::Text("O'Neil 4711".to_string())),
            _ => None,
        };
        Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).fits(&column)
    }

    #[test]
    fn a_filter_fits_as_it_reads() {
        for filter in [
            "",
            "ProductID=1",
            "productid = '1'",
            "ProductID<>2 AND email like '%@example.com'",
            "ProductID=2 OR (ProductID=1 and not ProductID=3)",
            "Email LIKE 'ann%' and Email like '%EXAMPLE%' and email like '%'",
            "OrderID='o''neil 4711'",
            "ProductID>=1 and ProductID<=1 and ProductID<2 and ProductID>0",
            "not (ProductID=2)",
        ] {
            assert!(fits(filter), "{filter}");
        }
        for filter in [
            "ProductID=2",
            "Email like 'x%'",
            "Email like '%@example.org'",
            "ProductID='one'",
            "UserData1=''",
            "Email like 'ann'",
        ] {
            assert!(!fits(filter), "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_and_nothing_is_passed_on() {
        for filter in [
            "ProductID=1; drop table license",
            "1=1",
            "ProductID=1 or 1=1",
            "Password='x'",
            "ProductID=(select 1)",
            "ProductID",
            "ProductID=",
            "ProductID=1 and",
            "(ProductID=1",
            "ProductID=1)",
            "Email='open",
            "ProductID=99999999999999999999",
            "ProductID=1 -- x",
            "ProductID=email",
        ] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
        let deep = ["(".repeat(6), "ProductID=1".to_string(), ")".repeat(6)].concat();
        assert_eq!(Filter::parse(&deep), Err(FilterError::TooDeep));
        assert_eq!(Filter::parse(&["not ".repeat(6), "ProductID=1".to_string()].concat()), Err(FilterError::TooDeep));
        assert_eq!(Filter::parse(&"a".repeat(513)), Err(FilterError::TooLong));
    }
}
