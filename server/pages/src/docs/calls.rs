//! Examples of calls: for curl, for Python and for Node, in the words of the official client where the
//! route is its own, else over plain HTTP. Knows no page; what it writes is pasted into shells, so whatever
//! comes from elsewhere is quoted.

use admin_templates::docs::DocExample;
use serde_json::{Map, Value};

/// Whose client a route is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExampleClient {
    /// The method of OpenAI's, and what is read of its answer in Python and in Node.
    OpenAi(&'static str, &'static str, &'static str),
    /// The method of Anthropic's, and what is read of its answer.
    Anthropic(&'static str, &'static str),
    /// The method of Google's for Python and for Node, and what is read of its answer in each.
    Google(&'static str, &'static str, &'static str, &'static str),
    /// None: plain HTTP.
    Plain,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExampleCaller {
    /// A key of a tenant.
    Key,
    /// A superadmin's token.
    Admin,
    /// Whoever comes.
    Nobody,
}

/// A call to be shown.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// `https://waule.example`.
    pub(super) base: &'a str,
    /// `POST`.
    pub(super) method: &'a str,
    /// With its parts filled in.
    pub(super) path: String,
    /// Its body.
    pub(super) body: Option<Value>,
    /// Who calls.
    pub(super) caller: ExampleCaller,
    /// With which client.
    pub(super) client: ExampleClient,
    /// The model, where the address names it.
    pub(super) model: String,
}

impl ExampleCaller {
    fn variable(self) -> Option<&'static str> {
        match self {
            Self::Key => Some("WAULE_KEY"),
            Self::Admin => Some("WAULE_ADMIN"),
            Self::Nobody => None,
        }
    }
}

/// A text in single quotes of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A value as Python writes it; strings are JSON's, which Python reads alike.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), python(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// A value as people write it in JavaScript: names without quotes where they need none.
fn javascript(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(javascript).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let is_name = |name: &str| {
                let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
                !name.is_empty()
                    && name.chars().all(letters)
                    && !name.starts_with(|c: char| c.is_ascii_digit())
            };
            let field = |(name, value): (&String, &Value)| {
                let name = if is_name(name) {
                    name.clone()
                } else {
                    Value::from(name.as_str()).to_string()
                };
                format!("{name}: {}", javascript(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn example(language: &str, install: &str, code: String) -> DocExample {
    DocExample {
        language: language.to_owned(),
        install: install.to_owned(),
        code,
    }
}

/// A line for each argument.
fn indented(space: &str, arguments: &[String]) -> String {
    let lines = arguments.iter();
    let parts = lines.flat_map(|line| [space, line.as_str(), ",\n"]);
    parts.collect()
}

impl Call<'_> {
    /// In all three languages.
    pub(super) fn examples(&self) -> Vec<DocExample> {
        vec![self.curl(), self.python(), self.node()]
    }

    fn url(&self) -> String {
        format!("{}{}", self.base, self.path)
    }

    fn fields(&self) -> Map<String, Value> {
        let fields = self.body.as_ref().and_then(Value::as_object);
        fields.cloned().unwrap_or_default()
    }

    fn curl(&self) -> DocExample {
        let mut lines = vec![format!("curl {}", quoted(&self.url()))];
        if self.method != "GET" && !(self.method == "POST" && self.body.is_some()) {
            lines.push(format!("-X {}", self.method));
        }
        if let Some(variable) = self.caller.variable() {
            lines.push(match self.client {
                ExampleClient::Google(..) => format!("-H \"x-goog-api-key: ${variable}\""),
                ExampleClient::Anthropic(..) => {
                    format!("-H \"x-api-key: ${variable}\" -H 'anthropic-version: 2023-06-01'")
                }
                ExampleClient::OpenAi(..) | ExampleClient::Plain => {
                    format!("-H \"Authorization: Bearer ${variable}\"")
                }
            });
        }
        if let Some(body) = &self.body {
            lines.push("-H 'Content-Type: application/json'".to_owned());
            lines.push(format!("-d {}", quoted(&body.to_string())));
        }
        example("curl", "", lines.join(" \\\n  "))
    }

    /// What stands between the brackets of a call of a Python client.
    fn named(&self) -> String {
        let fields = self.fields();
        let fields = fields
            .iter()
            .map(|(name, value)| format!("    {name}={},\n", python(value)));
        fields.collect()
    }

    /// The text that Google's clients take as contents.
    fn contents(&self) -> String {
        let body = self.body.as_ref();
        let text = body.and_then(|body| {
            let places = [
                "/contents/0/parts/0/text",
                "/content/parts/0/text",
                "/requests/0/content/parts/0/text",
            ];
            places.iter().find_map(|place| body.pointer(place))
        });
        text.and_then(Value::as_str).unwrap_or("Hello").to_owned()
    }

    fn python(&self) -> DocExample {
        let base = Value::from(self.base);
        match self.client {
            ExampleClient::OpenAi(method, read, _) => {
                let arguments = self.named();
                let arguments = if arguments.is_empty() {
                    String::new()
                } else {
                    format!("\n{arguments}")
                };
                let code = format!(
                    "import os\nfrom openai import OpenAI\n\n\
                     client = OpenAI(base_url={}, api_key=os.environ[\"WAULE_KEY\"])\n\
                     reply = client.{method}({arguments})\nprint({read})",
                    Value::from(format!("{}/api/v1", self.base))
                );
                example("Python", "pip install openai", code)
            }
            ExampleClient::Anthropic(method, read) => {
                let code = format!(
                    "import os\nfrom anthropic import Anthropic\n\n\
                     client = Anthropic(base_url={}, api_key=os.environ[\"WAULE_KEY\"])\n\
                     reply = client.{method}(\n{})\nprint({read})",
                    Value::from(format!("{}/api", self.base)),
                    self.named()
                );
                example("Python", "pip install anthropic", code)
            }
            ExampleClient::Google(method, _, read, _) => {
                let code = format!(
                    "import os\nfrom google import genai\n\n\
                     client = genai.Client(api_key=os.environ[\"WAULE_KEY\"], vertexai=False, \
                     http_options={{\"base_url\": {base}}})\n\
                     reply = client.models.{method}(model={}, contents={})\n{read}",
                    Value::from(self.model.as_str()),
                    Value::from(self.contents())
                );
                example("Python", "pip install google-genai", code)
            }
            ExampleClient::Plain => self.requests(),
        }
    }

    fn requests(&self) -> DocExample {
        let mut arguments = vec![Value::from(self.url()).to_string()];
        if let Some(variable) = self.caller.variable() {
            arguments.push(format!(
                "headers={{\"Authorization\": \"Bearer \" + os.environ[\"{variable}\"]}}"
            ));
        }
        if let Some(body) = &self.body {
            arguments.push(format!("json={}", python(body)));
        }
        arguments.push("timeout=60".to_owned());
        let lines = indented("    ", &arguments);
        let code = format!(
            "import os\nimport requests\n\nanswer = requests.{}(\n{lines})\nanswer.raise_for_status()\n\
             print(answer.text)",
            self.method.to_lowercase()
        );
        example("Python", "pip install requests", code)
    }

    fn node(&self) -> DocExample {
        let fields = Value::Object(self.fields());
        match self.client {
            ExampleClient::OpenAi(method, _, read) => {
                let argument = if self.body.is_some() {
                    javascript(&fields)
                } else {
                    String::new()
                };
                let code = format!(
                    "import OpenAI from \"openai\";\n\n\
                     const client = new OpenAI({{ baseURL: {}, apiKey: process.env.WAULE_KEY }});\n\
                     const reply = await client.{method}({argument});\nconsole.log({read});",
                    Value::from(format!("{}/api/v1", self.base))
                );
                example("Node", "npm install openai", code)
            }
            ExampleClient::Anthropic(method, read) => {
                let code = format!(
                    "import Anthropic from \"@anthropic-ai/sdk\";\n\n\
                     const client = new Anthropic({{ baseURL: {}, apiKey: process.env.WAULE_KEY }});\n\
                     const reply = await client.{}({});\nconsole.log({read});",
                    Value::from(format!("{}/api", self.base)),
                    method.replace("count_tokens", "countTokens"),
                    javascript(&fields)
                );
                example("Node", "npm install @anthropic-ai/sdk", code)
            }
            ExampleClient::Google(_, method, _, read) => {
                let code = format!(
                    "import {{ GoogleGenAI }} from \"@google/genai\";\n\n\
                     const client = new GoogleGenAI({{ apiKey: process.env.WAULE_KEY, \
                     httpOptions: {{ baseUrl: {} }} }});\n\
                     const reply = await client.models.{method}({{ model: {}, contents: {} }});\n{read}",
                    Value::from(self.base),
                    Value::from(self.model.as_str()),
                    Value::from(self.contents())
                );
                example("Node", "npm install @google/genai", code)
            }
            ExampleClient::Plain => self.fetch(),
        }
    }

    fn fetch(&self) -> DocExample {
        let mut options = Vec::new();
        if self.method != "GET" {
            options.push(format!("method: \"{}\"", self.method));
        }
        let mut headers = Vec::new();
        if let Some(variable) = self.caller.variable() {
            headers.push(format!(
                "authorization: `Bearer ${{process.env.{variable}}}`"
            ));
        }
        if self.body.is_some() {
            headers.push("\"content-type\": \"application/json\"".to_owned());
        }
        if !headers.is_empty() {
            options.push(format!("headers: {{ {} }}", headers.join(", ")));
        }
        if let Some(body) = &self.body {
            options.push(format!("body: JSON.stringify({})", javascript(body)));
        }
        let lines = indented("  ", &options);
        let options = if lines.is_empty() {
            String::new()
        } else {
            format!(", {{\n{lines}}}")
        };
        let code = format!(
            "const answer = await fetch({}{options});\n\
             if (!answer.ok) throw new Error(await answer.text());\nconsole.log(await answer.text());",
            Value::from(self.url())
        );
        example("Node", "", code)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(client: ExampleClient, body: Option<Value>) -> Call<'static> {
        Call {
            base: "https://waule.example",
            method: if body.is_some() { "POST" } else { "GET" },
            path: "/api/v1/x".to_owned(),
            body,
            caller: ExampleCaller::Key,
            client,
            model: String::new(),
        }
    }

    #[test]
    fn what_is_pasted_into_a_shell_is_quoted() {
        let body = json!({"text": "it's $(rm) `x` \"y\""});
        let code = call(ExampleClient::Plain, Some(body)).curl().code;
        assert!(
            code.ends_with(r#"-d '{"text":"it'\''s $(rm) `x` \"y\""}'"#),
            "{code}"
        );
        assert!(code.contains("Bearer $WAULE_KEY\""), "{code}");
        let code = call(ExampleClient::Plain, None).curl().code;
        assert!(!code.contains("-X") && !code.contains("-d"), "{code}");
    }

    #[test]
    fn values_are_written_as_each_language_writes_them() {
        let value = json!({"a": null, "b": [true, false, 1.5], "content-type": "x\n\"y\""});
        assert_eq!(
            python(&value),
            r#"{"a": None, "b": [True, False, 1.5], "content-type": "x\n\"y\""}"#
        );
        assert_eq!(
            javascript(&value),
            r#"{ a: null, b: [true, false, 1.5], "content-type": "x\n\"y\"" }"#
        );
    }

    #[test]
    fn each_client_is_made_as_its_makers_make_it() {
        let body = || Some(json!({"contents": [{"parts": [{"text": "Hi"}]}], "model": "m"}));
        for (client, python, node) in [
            (
                ExampleClient::OpenAi("a.create", "reply", "reply"),
                "OpenAI(base_url=\"https://waule.example/api/v1\", api_key=os.environ[\"WAULE_KEY\"])",
                "new OpenAI({ baseURL: \"https://waule.example/api/v1\", apiKey: process.env.WAULE_KEY })",
            ),
            (
                ExampleClient::Anthropic("messages.count_tokens", "reply"),
                "Anthropic(base_url=\"https://waule.example/api\", api_key=os.environ[\"WAULE_KEY\"])",
                "client.messages.countTokens(",
            ),
            (
                ExampleClient::Google("generate_content", "generateContent", "x", "x"),
                "genai.Client(api_key=os.environ[\"WAULE_KEY\"], vertexai=False, \
                 http_options={\"base_url\": \"https://waule.example\"})",
                "new GoogleGenAI({ apiKey: process.env.WAULE_KEY, \
                 httpOptions: { baseUrl: \"https://waule.example\" } })",
            ),
        ] {
            let call = call(client, body());
            assert!(
                call.python().code.contains(python),
                "{}",
                call.python().code
            );
            assert!(call.node().code.contains(node), "{}", call.node().code);
        }
    }
}
