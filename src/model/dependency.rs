//! The `dependencies` of a line: what else a version needs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::name::FullName;
use super::version_requirement::{VersionRequirement, is_set};

/// Most dependencies of one version, those of its platform included.
const DEPENDENCIES_MAX: usize = 10_000;
/// What the keys begin with under which stand conditional dependencies.
const FILTER: &str = "filter:";
/// The one condition that is known here.
const FILTER_PLATFORM: &str = "filter:platform";

/// One package that another one needs.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The package.
    pub name: FullName,
    /// Which of its versions.
    pub requirement: VersionRequirement,
    /// It is not needed; but if it is there, then in one of these versions.
    pub optional: bool,
}

/// Reads dependencies, in the order of their names. A name may come more than once, by itself and in a filter: then all
/// requirements hold.
///
/// Under `filter:platform` stands a dictionary of dictionaries, by platform, of which those count whose key `is_meant`
/// admits; other filters are left alone, since they ask about things that are not known here.
/// An optional dependency of a name that no package can have is left out.
///
/// # Errors
/// If something in it makes no sense; in words that fit behind "its dependencies cannot be read: ".
pub fn read(value: Option<&Value>, is_meant: impl Fn(&str) -> bool) -> Result<Vec<Dependency>, String> {
    let mut found = BTreeMap::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(object)) => collect(object, &is_meant, &mut found)?,
        Some(_) => return Err("they are no dictionary".to_owned()),
    }
    let dependencies: Vec<_> = found.into_values().flatten().collect();
    if dependencies.len() > DEPENDENCIES_MAX {
        return Err(format!("there are more than {DEPENDENCIES_MAX}"));
    }
    Ok(dependencies)
}

fn collect(
    object: &Map<String, Value>,
    is_meant: &impl Fn(&str) -> bool,
    found: &mut BTreeMap<FullName, Vec<Dependency>>,
) -> Result<(), String> {
    for (key, value) in object {
        if key == FILTER_PLATFORM {
            let branches = value.as_object().ok_or_else(|| format!("{key:?} is no dictionary of platforms"))?;
            for (_, branch) in branches.iter().filter(|(name, _)| is_meant(name)) {
                let branch = branch.as_object().ok_or_else(|| format!("{key:?} has a platform with no dictionary"))?;
                // The depth is that of the JSON, which has a limit.
                collect(branch, is_meant, found)?;
            }
            continue;
        }
        if key.starts_with(FILTER) {
            continue;
        }
        let optional = value.get("optional").is_some_and(is_set);
        let name: FullName = match key.parse() {
            Ok(name) => name,
            Err(_) if optional => continue,
            Err(why) => return Err(format!("{key:?}: {why}")),
        };
        let requirement = VersionRequirement::from_json(value).map_err(|why| format!("{name}: {why}"))?;
        found.entry(name.clone()).or_default().push(Dependency { name, requirement, optional });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(value: &Value) -> Result<Vec<String>, String> {
        let read = read(Some(value), |name| name.starts_with("windows"))?;
        let text = |one: &Dependency| {
            format!("{} {}{}", one.name, one.requirement, if one.optional { " optional" } else { "" })
        };
        Ok(read.iter().map(text).collect())
    }

    #[test]
    fn all_forms_are_read() {
        let value = json!({
            "omni.ui": {"version": "1.0.0"},
            "omni.core": {},
            "omni.test": {"optional": true, "version": "2.1.0", "exact": true},
            "omni.text": "^1.2",
            "filter:platform": {
                "windows-x64": {"omni.win": {}, "omni.ui": "<1.5", "filter:platform": {"windows-x64": {"omni.deep": {}}}},
                "linux-x86_64": {"omni.linux": {}},
            },
            "filter:config": {"debug": {"omni.debug": 7}},
            "nodot": {"optional": true},
        });
        let expected = [
            "omni.core *",
            "omni.deep *",
            "omni.test =2.1.0 optional",
            "omni.text ^1.2",
            "omni.ui >=1.0.0, <2",
            "omni.ui <1.5",
            "omni.win *",
        ];
        assert_eq!(texts(&value).unwrap(), expected);
        assert!(read(None, |_| true).unwrap().is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (value, why) in [
            (json!([]), "no dictionary"),
            (json!({"nodot": {}}), "NAMESPACE.NAME"),
            (json!({"omni.a": 1}), "omni.a: 1 is no requirement"),
            (json!({"filter:platform": 1}), "no dictionary of platforms"),
            (json!({"filter:platform": {"windows-x64": 1}}), "no dictionary"),
        ] {
            let error = texts(&value).unwrap_err();
            assert!(error.contains(why), "{value}: {error}");
        }
    }
}
