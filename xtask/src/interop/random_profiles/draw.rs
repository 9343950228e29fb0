use fastrand::Rng;
use serde_json::{Map, Value, json};

/// A profile in TOML, and what is asked for in it: the subject and authority key identifiers are in every certificate, and so nobody's wish.
pub(super) fn draw(rng: &mut Rng) -> (String, Value) {
    let mut drawing = Drawing {
        rng,
        toml: String::new(),
        critical: Vec::new(),
        not_critical: Vec::new(),
        extensions: Map::new(),
    };
    let validity = drawing.validity();
    let is_ca = drawing.rng.bool();
    drawing.basics(is_ca);
    drawing.names();
    drawing.places();
    drawing.policies();
    if is_ca {
        drawing.limits();
    }
    drawing.others();
    drawing.finish(&validity)
}

struct Drawing<'a> {
    rng: &'a mut Rng,
    toml: String,
    critical: Vec<&'static str>,
    not_critical: Vec<&'static str>,
    extensions: Map<String, Value>,
}

/// When an extension is critical.
#[derive(Clone, Copy)]
enum Critical {
    Always,
    Never,
    Usually,
    Rarely,
}

impl Drawing<'_> {
    /// A key of the profile, and what the certificate is to say for it.
    fn add(&mut self, key: &'static str, oid: &str, when: Critical, toml: &str, value: Value) {
        let flipped = self.rng.u8(..4) == 0;
        let critical = match when {
            Critical::Always => true,
            Critical::Never => false,
            Critical::Usually => !flipped,
            Critical::Rarely => flipped,
        };
        match (when, critical) {
            (Critical::Usually, false) => self.not_critical.push(key),
            (Critical::Rarely, true) => self.critical.push(key),
            _ => {}
        }
        self.toml.push_str(&format!("{key} = {toml}\n"));
        self.extensions
            .insert(oid.to_owned(), json!([critical, value]));
    }

    fn validity(&mut self) -> Value {
        let mut date = |years: std::ops::Range<u16>| {
            format!(
                "{}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                self.rng.u16(years),
                self.rng.u8(1..=12),
                self.rng.u8(1..=28),
                self.rng.u8(..24),
                self.rng.u8(..60),
                self.rng.u8(..60)
            )
        };
        let (not_before, not_after) = (date(1950..2050), date(2050..9999));
        self.toml.push_str(&format!(
            "validity = {{ not-before = {not_before}, not-after = {not_after} }}\n"
        ));
        json!([not_before, not_after])
    }

    fn basics(&mut self, is_ca: bool) {
        let oid = "2.5.29.19";
        if is_ca {
            let path_len = self.maybe(|rng| rng.u32(..400));
            let shown =
                path_len.map_or_else(String::new, |length| format!(", path-len = {length}"));
            let toml = format!("{{ ca = true{shown} }}");
            let value = json!([true, path_len]);
            self.add("basic-constraints", oid, Critical::Always, &toml, value);
        } else if self.rng.bool() {
            let value = json!([false, null]);
            self.add(
                "basic-constraints",
                oid,
                Critical::Usually,
                "{ ca = false }",
                value,
            );
        } else {
            self.toml.push_str("without-basic-constraints = true\n");
        }
        // What a key for ECDSA has a use for, in the order of RFC 5280.
        let mut usages = self.some_of(&["digitalSignature", "nonRepudiation", "keyAgreement"]);
        if is_ca {
            usages.push("keyCertSign");
            usages.extend(self.some_of(&["cRLSign"]));
        }
        if !usages.is_empty() {
            let value = json!(usages);
            self.add(
                "key-usage",
                "2.5.29.15",
                Critical::Usually,
                &value.to_string(),
                value.clone(),
            );
        }
        let known = [
            ("serverAuth", "1.3.6.1.5.5.7.3.1"),
            ("clientAuth", "1.3.6.1.5.5.7.3.2"),
            ("codeSigning", "1.3.6.1.5.5.7.3.3"),
            ("emailProtection", "1.3.6.1.5.5.7.3.4"),
            ("timeStamping", "1.3.6.1.5.5.7.3.8"),
            ("OCSPSigning", "1.3.6.1.5.5.7.3.9"),
            ("anyExtendedKeyUsage", "2.5.29.37.0"),
            ("2.999.77", "2.999.77"),
        ];
        let (names, oids): (Vec<_>, Vec<_>) = self.some_of(&known).into_iter().unzip();
        if !names.is_empty() {
            let toml = json!(names).to_string();
            self.add(
                "extended-key-usage",
                "2.5.29.37",
                Critical::Rarely,
                &toml,
                json!(oids),
            );
        }
    }

    fn names(&mut self) {
        let count = self.rng.usize(..6);
        let names: Vec<_> = (0..count).map(|_| self.name()).collect();
        if names.is_empty() {
            return;
        }
        let (written, read): (Vec<_>, Vec<_>) = names.into_iter().unzip();
        let critical = self.rng.bool();
        self.toml.push_str(&format!(
            "names = {{ fixed = {}, critical = {critical} }}\n",
            json!(written)
        ));
        self.extensions
            .insert("2.5.29.17".to_owned(), json!([critical, read]));
    }

    /// Where CRLs, issuers and services are.
    fn places(&mut self) {
        if let Some((toml, value)) = self.list(Self::point) {
            self.add(
                "crl-distribution-points",
                "2.5.29.31",
                Critical::Rarely,
                &toml,
                value,
            );
        }
        if let Some((toml, value)) = self.list(Self::point) {
            self.add("freshest-crl", "2.5.29.46", Critical::Never, &toml, value);
        }
        let ocsp = self.uris();
        let issuers = self.uris();
        let methods = [("48.1", &ocsp), ("48.2", &issuers)];
        let access: Vec<Value> = methods
            .iter()
            .flat_map(|(method, uris)| {
                let access =
                    move |uri| json!([format!("1.3.6.1.5.5.7.{method}"), format!("URI:{uri}")]);
                uris.iter().map(access)
            })
            .collect();
        if !access.is_empty() {
            self.toml.push_str(&format!("ocsp = {}\n", json!(ocsp)));
            self.toml
                .push_str(&format!("ca-issuers = {}\n", json!(issuers)));
            self.extensions
                .insert("1.3.6.1.5.5.7.1.1".to_owned(), json!([false, access]));
        }
        if let Some((toml, value)) = self.list(Self::service) {
            let oid = "1.3.6.1.5.5.7.1.11";
            self.add(
                "subject-information-access",
                oid,
                Critical::Never,
                &toml,
                value,
            );
        }
        if let Some((written, read)) = self.list(Self::quoted_name) {
            self.add(
                "issuer-alt-names",
                "2.5.29.18",
                Critical::Rarely,
                &written,
                read,
            );
        }
    }

    fn policies(&mut self) {
        let policies = self.some_of(&["1.2.3.1", "1.2.3.2", "1.2.3.3", "2.5.29.32.0"]);
        if policies.is_empty() {
            return;
        }
        let (mut written, mut read) = (Vec::new(), Vec::new());
        for policy in policies {
            let cps = self.uris();
            let mut qualifiers: Vec<Value> = cps.iter().map(|uri| json!(["cps", uri])).collect();
            let mut toml = format!("policy = {}, cps = {}", json!(policy), json!(cps));
            let text = self.maybe(word);
            let reference = self.maybe(|rng| (word(rng), rng.u64(..1 << 40)));
            match (&text, &reference) {
                (None, None) => {}
                (Some(text), None) => toml.push_str(&format!(", notice = {}", json!(text))),
                (text, Some((organization, number))) => {
                    let text = text
                        .as_ref()
                        .map_or_else(String::new, |it| format!("text = {}, ", json!(it)));
                    toml.push_str(&format!(
                        ", notice = {{ {text}organization = {}, numbers = [{number}, 1] }}",
                        json!(organization)
                    ));
                }
            }
            if text.is_some() || reference.is_some() {
                let reference =
                    reference.map(|(organization, number)| json!([organization, [number, 1]]));
                qualifiers.push(json!(["notice", text, reference]));
            }
            written.push(format!("{{ {toml} }}"));
            read.push(json!([policy, qualifiers]));
        }
        let toml = format!("[{}]", written.join(", "));
        self.add(
            "certificate-policies",
            "2.5.29.32",
            Critical::Rarely,
            &toml,
            json!(read),
        );
    }

    /// What only a CA has.
    fn limits(&mut self) {
        let (permitted, excluded) = (self.subtrees(), self.subtrees());
        if !permitted.is_empty() || !excluded.is_empty() {
            let toml = format!(
                "{{ permitted = {}, excluded = {} }}",
                json!(permitted),
                json!(excluded)
            );
            let value = json!([permitted, excluded]);
            self.add(
                "name-constraints",
                "2.5.29.30",
                Critical::Always,
                &toml,
                value,
            );
        }
        let mappings: Vec<[&str; 2]> = self.some_of(&[
            ["1.2.3.1", "1.2.4.1"],
            ["1.2.3.1", "1.2.4.2"],
            ["1.2.3.2", "1.2.3.1"],
        ]);
        if !mappings.is_empty() {
            let toml = mappings.iter().map(|[issuer, subject]| {
                format!("{{ issuer = '{issuer}', subject = '{subject}' }}")
            });
            let toml = format!("[{}]", toml.collect::<Vec<_>>().join(", "));
            self.add(
                "policy-mappings",
                "2.5.29.33",
                Critical::Usually,
                &toml,
                json!(mappings),
            );
        }
        let (require, inhibit) = (
            self.maybe(|rng| rng.u32(..300)),
            self.maybe(|rng| rng.u32(..3)),
        );
        let fields = [
            ("require-explicit-policy", require),
            ("inhibit-policy-mapping", inhibit),
        ];
        let fields = fields
            .iter()
            .filter_map(|(key, number)| Some(format!("{key} = {}", (*number)?)));
        let fields: Vec<String> = fields.collect();
        if !fields.is_empty() {
            let toml = format!("{{ {} }}", fields.join(", "));
            let value = json!([require, inhibit]);
            self.add(
                "policy-constraints",
                "2.5.29.36",
                Critical::Always,
                &toml,
                value,
            );
        }
        if let Some(number) = self.maybe(|rng| rng.u32(..200)) {
            let toml = number.to_string();
            self.add(
                "inhibit-any-policy",
                "2.5.29.54",
                Critical::Always,
                &toml,
                json!(number),
            );
        }
    }

    fn others(&mut self) {
        let features = self.some_of(&[5, 17]);
        if !features.is_empty() {
            let value = json!(features);
            let oid = "1.3.6.1.5.5.7.1.24";
            self.add(
                "tls-feature",
                oid,
                Critical::Rarely,
                &value.to_string(),
                value.clone(),
            );
        }
        let mut customs = Vec::new();
        for number in 0..self.rng.u8(..3) {
            let text = word(self.rng);
            let der = format!("0c{:02x}{}", text.len(), hex(&text));
            let critical = self.rng.bool();
            // Below the arc of UUIDs, which have 128 bits.
            let oid = format!("2.25.329800735698586629295641978511506172918.{number}");
            customs.push(format!(
                "{{ oid = '{oid}', critical = {critical}, der = '{der}' }}"
            ));
            self.extensions.insert(oid, json!([critical, der]));
        }
        self.toml
            .push_str(&format!("custom-extensions = [{}]\n", customs.join(", ")));
    }

    fn finish(self, validity: &Value) -> (String, Value) {
        let profile = format!(
            "{}critical = {}\nnot-critical = {}\n",
            self.toml,
            json!(self.critical),
            json!(self.not_critical)
        );
        (
            profile,
            json!({ "validity": validity, "extensions": self.extensions }),
        )
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Rng) -> T) -> Option<T> {
        self.rng.bool().then(|| draw(self.rng))
    }

    /// In their order.
    fn some_of<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        all.iter()
            .filter(|_| self.rng.u8(..3) == 0)
            .copied()
            .collect()
    }

    /// Up to three, as TOML and as JSON.
    fn list(&mut self, draw: fn(&mut Self) -> (String, Value)) -> Option<(String, Value)> {
        let count = self.rng.usize(..4);
        let drawn: Vec<_> = (0..count).map(|_| draw(self)).collect();
        let (written, read): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
        (count > 0).then(|| (format!("[{}]", written.join(", ")), json!(read)))
    }

    fn point(&mut self) -> (String, Value) {
        if self.rng.bool() {
            let uri = uri(self.rng);
            return (
                json!(uri).to_string(),
                json!([[format!("URI:{uri}")], null, null, []]),
            );
        }
        let (kind, issuer) = (self.rng.u8(..3), directory(self.rng));
        let (name, full, relative) = match kind {
            0 => {
                let names = [self.name(), self.name()];
                let toml = format!("names = {}, ", json!([names[0].0, names[1].0]));
                (toml, json!([names[0].1, names[1].1]), Value::Null)
            }
            1 => {
                let text = format!("CN={}", word(self.rng));
                (
                    format!("relative-name = {}, ", json!(text)),
                    Value::Null,
                    json!(text),
                )
            }
            _ => (String::new(), Value::Null, Value::Null),
        };
        let reasons = self.some_of(&[
            "keyCompromise",
            "cACompromise",
            "affiliationChanged",
            "superseded",
            "cessationOfOperation",
            "certificateHold",
            "privilegeWithdrawn",
            "aACompromise",
        ]);
        let reasons = (!reasons.is_empty()).then_some(reasons);
        let shown = reasons
            .as_ref()
            .map_or_else(String::new, |it| format!("reasons = {}, ", json!(it)));
        (
            format!("{{ {name}{shown}crl-issuer = [{}] }}", json!(issuer)),
            json!([full, relative, reasons, [issuer]]),
        )
    }

    fn service(&mut self) -> (String, Value) {
        let (written, read) = match self.rng.u8(..3) {
            0 => ("caRepository", "1.3.6.1.5.5.7.48.5"),
            1 => ("timeStamping", "1.3.6.1.5.5.7.48.3"),
            _ => ("1.2.3.55", "1.2.3.55"),
        };
        let (location, is) = self.name();
        (
            format!("{{ method = '{written}', location = {} }}", json!(location)),
            json!([read, is]),
        )
    }

    fn quoted_name(&mut self) -> (String, Value) {
        let (written, read) = self.name();
        (json!(written).to_string(), json!(read))
    }

    /// A name of any form, as it is written and as it is to be read.
    fn name(&mut self) -> (String, String) {
        let rng = &mut *self.rng;
        let same = |name: String| (name.clone(), name);
        match rng.u8(..8) {
            0 => same(format!("DNS:{}.example.com", word(rng))),
            1 => same(format!("IP:10.{}.{}.1", rng.u8(..), rng.u8(..))),
            2 => same(format!("IP:2001:db8::{:x}", rng.u16(1..))),
            3 => same(format!("email:{}@example.com", word(rng))),
            4 => same(format!("URI:{}", uri(rng))),
            5 => same(directory(rng)),
            6 => same(format!("registeredID:2.999.{}", rng.u32(..))),
            _ => {
                let text = format!("{}@example.com", word(rng));
                let value = format!("0c{:02x}{}", text.len(), hex(&text));
                let upn = format!("otherName:1.3.6.1.4.1.311.20.2.3:{value}");
                if rng.bool() {
                    (format!("UPN:{text}"), upn)
                } else {
                    same(format!("otherName:2.999.{}:{value}", rng.u16(..)))
                }
            }
        }
    }

    fn uris(&mut self) -> Vec<String> {
        (0..self.rng.usize(..3)).map(|_| uri(self.rng)).collect()
    }

    fn subtrees(&mut self) -> Vec<String> {
        let rng = &mut *self.rng;
        (0..rng.usize(..4))
            .map(|_| match rng.u8(..6) {
                0 => format!("DNS:{}.example.com", word(rng)),
                1 => format!("IP:10.{}.0.0/16", rng.u8(..)),
                2 => format!("IP:2001:db8:{:x}::/48", rng.u16(1..)),
                3 => format!("email:{}@example.com", word(rng)),
                4 => format!("URI:.{}.example.com", word(rng)),
                _ => directory(rng),
            })
            .collect()
    }
}

fn word(rng: &mut Rng) -> String {
    let len = rng.usize(1..20);
    (0..len).map(|_| rng.lowercase()).collect()
}

fn uri(rng: &mut Rng) -> String {
    format!("http://{}.example.com/{}", word(rng), word(rng))
}

fn directory(rng: &mut Rng) -> String {
    format!("dirName:CN={},OU={},O={}", word(rng), word(rng), word(rng))
}

fn hex(text: &str) -> String {
    text.bytes().map(|octet| format!("{octet:02x}")).collect()
}
