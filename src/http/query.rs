//! The query of a request: names and values, each used at most once.

use percent_encoding::percent_decode_str;

use super::problem::Problem;

/// Longest query that is looked at, in bytes.
const QUERY_BYTES_MAX: usize = 4096;

/// The parameters of a query.
#[derive(Debug, Default)]
pub struct Query(Vec<Parameter>);

#[derive(Debug)]
struct Parameter {
    name: String,
    exact: String,
    text: String,
}

impl Query {
    /// Reads a query, the part of a target behind `?`.
    ///
    /// # Errors
    /// If it is too long or not UTF-8, or a name is in it twice, of which programs before and behind this one could take
    /// either.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(Problem::bad_request("the query has more than 4096 bytes"));
        }
        let decode = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map(std::borrow::Cow::into_owned).map_err(|_| Problem::bad_request("a query is UTF-8"))
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok(Parameter { name: decode(name)?, exact: decode(value)?, text: decode(&value.replace('+', " "))? })
        });
        let parameters: Vec<Parameter> = parameters.collect::<Result<_, Problem>>()?;
        let mut names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Problem::bad_request(format!("the query says {} twice; once is enough", pair[0])));
        }
        Ok(Self(parameters))
    }

    /// A value that has no spaces: a plus sign is one, as in versions.
    #[must_use]
    pub fn exact(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.exact.as_str())
    }

    /// A value that people type: a plus sign is a space, as forms send it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.text.as_str())
    }

    /// A value of the model, if the parameter is there and not empty.
    ///
    /// # Errors
    /// If the value breaks a rule.
    pub fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, Problem>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let value = self.exact(name).filter(|value| !value.is_empty());
        value
            .map(|value| value.parse().map_err(|problem: T::Err| Problem::unprocessable(name, problem.to_string())))
            .transpose()
    }

    /// A flag: set where it is `true`, not set where it is `false` or absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        super::json::parse_flag(name, self.exact(name))
    }

    /// The size of a page: `limit`, 1 to 500, or 100.
    ///
    /// # Errors
    /// If it is something else.
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.exact("limit") {
            None => Ok(100),
            Some(text) => match text.parse() {
                Ok(limit @ 1..=500) => Ok(limit),
                _ => Err(Problem::unprocessable("limit", "limit is a number from 1 to 500")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_is_a_space_only_where_people_type() {
        let query = Query::parse("version=1.0+a&search=a+b%2Bc&empty=&flag").unwrap();
        assert_eq!(query.exact("version"), Some("1.0+a"));
        assert_eq!(query.text("search"), Some("a b+c"));
        assert_eq!(query.exact("flag"), Some(""));
        assert_eq!(query.exact("none"), None);
        assert!(query.parsed::<crate::model::Version>("empty").unwrap().is_none());
    }

    #[test]
    fn hostile_queries_are_refused() {
        assert_eq!(Query::parse("a=%ff").unwrap_err().status(), 400);
        for twice in ["a=1&a=2", "a&b&a", "a=1&%61=1"] {
            assert_eq!(Query::parse(twice).unwrap_err().status(), 400, "{twice}");
        }
        assert!(Query::parse("a=1&A=1&b=1").is_ok());
        assert_eq!(Query::parse(&"a".repeat(5000)).unwrap_err().status(), 400);
        for limit in ["0", "501", "-1", "x", ""] {
            assert_eq!(Query::parse(&format!("limit={limit}")).unwrap().limit().unwrap_err().status(), 422, "{limit}");
        }
    }
}
