/** One Compose project: its files by path, and how it is read. */
export interface Case {
  files: Record<string, string>;
  composeFiles?: string[];
  profiles?: string[];
  environment?: Record<string, string>;
}

const WEB = 'services:\n  web:\n    image: web:1\n';

/** Projects that cover each feature of the Compose specification that this tool reads. */
export const CASES: Record<string, Case> = {
  'a single plain manifest': {
    files: {
      'compose.yaml': `name: plain
# the shop
services:
  web: # front
    image: nginx:1.27   # pinned
    ports: ["8080:80", 443, "127.0.0.1:53:53/udp", "3000-3002:3000-3002"]
    command: nginx -g daemon
    entrypoint: ["/entry", "--x"]
    volumes: ["data:/data", "/anonymous", "./site:/site:ro"]
    labels: {a: 1, b: "x y"}
    restart: unless-stopped
  db:
    image: postgres:16
    environment: {PGDATA: /data, N: 12, B: "true", Q: 1.50}
    healthcheck: {test: ["CMD", "pg_isready"], interval: 5s}
volumes:
  data:
x-note: kept
`,
      'site/index.html': 'hello',
    },
  },
  'variables from the environment, .env and defaults': {
    files: {
      '.env': 'TAG=1.2\nFROM_FILE="a b"\nBOTH=file\nEMPTY=\n',
      'compose.yaml': `services:
  web:
    image: "\${REGISTRY:-docker.io}/web:\${TAG}"
    command: ["\${UNSET-dash}", "\${EMPTY-dash}", "\${EMPTY:-colon}", "\${UNSET:-a\${TAG}b}", "$TAG", "$$HOME $\${X}"]
    environment:
      A: \${FROM_FILE}
      B: \${BOTH}
      C: \${FROM_ENV:?needed}
      D: \${TAG:+set}
      E: \${UNSET+set}
      F: \${EMPTY+set}x\${EMPTY:+set}
      G: \${EMPTY?fine}
      H: "\${UNSET:-\${ALSO_UNSET:-deep}}"
      I: "1\${TAG}"
    ports: ["\${PORT:-80}:80"]
`,
    },
    environment: { FROM_ENV: 'from $env', BOTH: 'env' },
  },
  'dotenv syntax': {
    files: {
      '.env': `# comment
export EXPORTED=yes
SINGLE='a $NOT # in'
DOUBLE="a\\n\${EXPORTED} # in"
BARE=a b # comment
HASH=a#b
MULTI="one
two"
SPACED = around
YAML: style
REF=\${EXPORTED}-\${OUTER:-none}
ESCAPES="\\a\\b\\f\\v\\t"
LAST=end`,
      'compose.yaml': `services:
  web:
    image: web
    environment: [EXPORTED, SINGLE, DOUBLE, BARE, HASH, MULTI, SPACED, YAML, REF, ESCAPES, LAST, "X=\${SINGLE}\${DOUBLE}\${MULTI}"]
`,
    },
    environment: { OUTER: 'out' },
  },
  'two manifests merged': {
    files: {
      'base.yaml': `services:
  web:
    image: web:1
    command: ["a", "b"]
    entrypoint: e
    environment: {A: 1, B: 2}
    labels: ["l=1", "m=1"]
    ports: ["80:80", "443:443"]
    expose: ["1"]
    volumes: ["./one:/data", "keep:/keep"]
    secrets: [s]
    configs: [{source: c, target: /c}]
    dns: 1.1.1.1
    tmpfs: /t
    cap_add: [A]
    devices: ["/dev/a:/dev/x"]
    extra_hosts: ["h:1.1.1.1"]
    networks: [front]
    depends_on: [db]
    logging: {driver: json-file, options: {max-size: 1m}}
    healthcheck: {test: ["CMD", "x"], interval: 3s}
    sysctls: {net.a: 1}
    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5"}}}
    env_file: a.env
  db: {image: db}
secrets: {s: {file: ./s.txt}}
configs: {c: {file: ./c.txt}}
volumes: {keep: }
networks: {front: , back: }
x-top: {a: 1}
`,
      'over.yaml': `services:
  web:
    command: c
    environment: [A=9, C=3]
    labels: {m: 2, n: 3}
    ports: ["80:80", {target: 443, published: "443"}, "81:80"]
    expose: ["1", "2"]
    volumes: [{type: bind, source: ./two, target: /data, bind: {create_host_path: true}}, "/anonymous"]
    secrets: [{source: s, target: /run/secrets/s}]
    configs: [{source: c, target: /other}]
    dns: [8.8.8.8, 1.1.1.1]
    tmpfs: [/t, /u]
    cap_add: [A, B]
    devices: ["/dev/b:/dev/x"]
    extra_hosts: {i: 2.2.2.2}
    networks: {front: {aliases: [w]}, back: }
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
    logging: {driver: json-file, options: {max-file: "2"}}
    healthcheck: {test: "y"}
    sysctls: ["net.b=2"]
    ulimits: {nofile: 5}
    deploy: {replicas: 3}
    env_file: [b.env]
  cache: {image: cache}
x-top: {b: 1}
`,
      'a.env': 'FILE=a\nA=file\nONLY=o\n',
      'b.env': 'FILE=b\nREF=${ONLY}\n',
      's.txt': 's',
      'c.txt': 'c',
      'one/f': '1',
      'two/f': '2',
    },
    composeFiles: ['base.yaml', 'over.yaml'],
  },
  '!reset and !override': {
    files: {
      'base.yaml': `services:
  web:
    image: web:1
    ports: ["80:80"]
    environment: {A: 1, B: 2}
    command: ["x"]
    volumes: ["v:/v"]
volumes: {v: }
`,
      'over.yaml': `services:
  web:
    ports: !override ["81:81"]
    environment: {A: !reset null}
    command: !reset null
    volumes: !reset []
volumes: !reset {}
`,
    },
    composeFiles: ['base.yaml', 'over.yaml'],
  },
  'overrides that are empty, or leave a name without content': {
    files: {
      'base.yaml': 'services: {web: {image: web, ports: ["80:80"], networks: [n]}}\nnetworks: {n: }\n',
      'nothing.yaml': '# to come\n',
      'over.yaml': 'services:\n  web:\n    # ports: !reset []\n  db: {image: db}\nvolumes:\n  data:\n',
    },
    composeFiles: ['nothing.yaml', 'base.yaml', 'over.yaml'],
  },
  'command and entrypoint taken away by null': {
    files: {
      'base.yaml': `services:
  web: {image: web, command: [a], entrypoint: [b], user: c}
  far: {image: far, extends: web, command: }
`,
      'over.yaml': 'services: {web: {command: , entrypoint: null, user: null}}\n',
    },
    composeFiles: ['base.yaml', 'over.yaml'],
  },
  'nulls in flow mappings': {
    files: {
      'compose.yaml': `services:
  web: {image: web, environment: {A: , B: "", C: c}, networks: {front: , back: }, command: }
networks: {front: , back: , last: }
`,
    },
  },
  'extends in the same file and from another one': {
    files: {
      'compose.yaml': `services:
  base: {image: base:1, environment: {A: 1}, labels: [x=1]}
  web: {extends: base, environment: {B: 2}}
  api: {extends: {service: web}, image: api:1}
  far:
    extends: {file: common/base.yaml, service: worker}
    environment: {OWN: "1"}
`,
      'common/base.yaml': `services:
  root: {image: root:1, volumes: ["./data:/data"]}
  worker:
    extends: root
    env_file: [w.env, {path: missing.env, required: false}]
    volumes: ["./more:/more", "../up:/up"]
    ports: ["1:1"]
---
services:
  worker: {command: [w]}
`,
      'common/w.env': 'W=1\n',
      'common/data/f': 'd',
      'common/more/f': 'm',
      'up/f': 'u',
    },
  },
  include: {
    files: {
      '.env': 'MAIN=main\n',
      'compose.yaml': `include:
  - parts/one.yaml
  - path: [parts/two.yaml, parts/two-more.yaml]
    project_directory: .
    env_file: parts/two.env
services:
  web:
    image: web:1
    environment: {M: "\${MAIN}", P: "\${PART:-unset}"}
    depends_on: [one]
`,
      'parts/.env': 'PART=part\nMAIN=hidden\n',
      'parts/one.yaml': `include: [deep/deep.yaml]
services:
  one:
    image: "one:\${PART}"
    environment: [PART, MAIN, "DOLLAR=$$x"]
    volumes: ["./data:/data"]
    env_file: one.env
    secrets: [s]
secrets: {s: {file: ./s.txt}}
`,
      'parts/deep/deep.yaml': 'services: {deep: {image: "deep:1", volumes: ["./d:/d"]}}\n',
      'parts/deep/d/f': 'd',
      'parts/one.env': 'ONE=1\n',
      'parts/s.txt': 's',
      'parts/data/f': 'd',
      'parts/two.yaml':
        'services: {two: {image: "two:${TWO}", environment: [TWO], volumes: ["./root:/root"]}}\n',
      'parts/two-more.yaml': 'services: {two: {environment: {MORE: "1"}}}\n',
      'parts/two.env': 'TWO=2\n',
      'root/f': 'r',
    },
  },
  'a bound volume of an include, and an empty include': {
    files: {
      'compose.yaml': 'include: [parts/one.yaml, nothing.yaml]\nservices: {web: {image: web}}\n',
      'nothing.yaml': '# to come\n',
      'parts/one.yaml': `services: {one: {image: one:1, volumes: ["data:/data"]}}
volumes: {data: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}
`,
      'parts/data/f': 'd',
    },
  },
  'bound volumes of the project': {
    files: {
      'compose.yaml': `services: {web: {image: web, volumes: ["data:/data"]}}
volumes: {data: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}
`,
      'data/f': 'd',
    },
  },
  'a path that leaves the project folder and comes back': {
    files: {
      'compose.yaml': `services:
  web:
    image: web
    volumes: ["../shop/d:/d:ro", {type: bind, source: x/../../shop/d, target: /e}]
    env_file: [../shop/w.env]
`,
      'd/f': 'd',
      'w.env': 'W=1\n',
    },
  },
  'an include overridden by a further manifest': {
    files: {
      'compose.yaml': 'include: [parts/one.yaml]\nservices: {web: {image: web}}\n',
      'more.yaml': 'services: {one: {environment: {B: "2"}, image: one:2}}\n',
      'parts/one.yaml': 'services: {one: {image: one:1, environment: [A=1]}}\n',
    },
    composeFiles: ['compose.yaml', 'more.yaml'],
  },
  profiles: {
    files: {
      'compose.yaml': `services:
  web: {image: web, depends_on: {debug: {condition: service_started, required: false}, db: {condition: service_started}}}
  db: {image: db}
  debug: {image: debug, profiles: [debug]}
  tool: {image: tool, profiles: [tools, extra], depends_on: [db]}
`,
    },
    profiles: ['tools'],
  },
  'all profiles': {
    files: { 'compose.yaml': `${WEB}  debug: {image: debug, profiles: [debug]}\n` },
    profiles: ['*'],
  },
  'profiles from the environment': {
    files: {
      'compose.yaml': `${WEB}  debug: {image: debug, profiles: [debug]}\n  no: {image: no, profiles: [no]}\n`,
    },
    environment: { COMPOSE_PROFILES: 'other, debug' },
  },
  'anchors, aliases and merge keys': {
    files: {
      'compose.yaml': `x-base: &base
  image: base:1
  restart: always
  environment: &env {A: "1", B: "2"}
x-logging: &logging {driver: json-file}
services:
  web:
    <<: *base
    environment:
      <<: *env
      B: "3"
    logging: *logging
  api:
    <<: [*base, {image: never, command: [x]}]
  same: *base
`,
    },
  },
  'services that share an image, and local files of every kind': {
    files: {
      'compose.yaml': `services:
  a: &a
    image: shared:1
    env_file:
      - a.env
      - path: sub/b.env
        required: true
    configs: [c, {source: c, target: /c2, mode: 0440}]
    secrets: [s]
    volumes:
      - ./conf:/conf:ro
      - type: bind
        source: ./one.txt
        target: /one.txt
        read_only: true
      - type: volume
        source: named
        target: /named
  b: {image: shared:1, command: [b]}
configs:
  c: {file: ./c.conf}
  inline: {content: "x $$y"}
secrets:
  s: {file: secrets/s}
volumes:
  named: {labels: {x: "1"}}
`,
      'a.env': 'A=1\n',
      'sub/b.env': 'B=2\n',
      'c.conf': 'c',
      'secrets/s': 's',
      'conf/x/y': 'y',
      'conf/run.sh': '#!/bin/sh\n',
      'one.txt': '1',
    },
  },
  'build beside image, and pull policies': {
    files: {
      'compose.yaml': `services:
  web:
    # built by the pipeline
    build: {context: ., args: {X: "1"}}
    image: web:1
    pull_policy: missing
`,
    },
  },
  'several documents in one file': {
    files: { 'compose.yaml': `${WEB}---\nservices:\n  web: {command: [x]}\n  two: {image: two}\n` },
  },
  'a folder with an override file': {
    files: { 'compose.yml': WEB, 'compose.override.yaml': 'services: {web: {environment: {O: "1"}}}\n' },
    composeFiles: ['.'],
  },
  'networks and shared namespaces': {
    files: {
      'compose.yaml': `services:
  web: {image: web, networks: {front: {aliases: [w], ipv4_address: 10.5.0.2}}}
  side: {image: side, network_mode: "service:web"}
  old: {image: old, links: ["web:w"], ipc: "service:web"}
networks:
  front: {ipam: {config: [{subnet: 10.5.0.0/24}]}}
`,
    },
  },
  'texts that look like numbers': {
    files: {
      'base.yaml': `services:
  web:
    image: web
    environment: {A: "1_000", B: "012", C: "1e3", D: "true", E: "null", F: "12:30:45", G: 1_000, H: "~", I: "yes"}
    configs: [{source: c, mode: 0444}]
configs: {c: {file: ./c}}
`,
      'over.yaml': 'services: {web: {environment: {J: "0x10", K: "2001-01-01"}}}\n',
      c: 'c',
    },
    composeFiles: ['base.yaml', 'over.yaml'],
  },
  'texts that begin with blanks': {
    files: {
      'base.yaml': `services: {web: {image: web, environment: {A: "\\tx\\ny", B: " \\n", C: "\\n\\tz"}, configs: [c]}}
configs: {c: {content: "\\tone\\n\\ttwo\\n"}}
`,
      'over.yaml': 'services: {web: {command: [x]}}\n',
    },
    composeFiles: ['base.yaml', 'over.yaml'],
  },
  'values that need quoting in a .env': {
    files: {
      '.env':
        "A='it''s'\nB=\"a\\\\b \\\"q\\\" $$x '\"\nC='two\nlines'\nD=\"é # no comment\"\nE='$NOT'\nF=\"tab\\t'end\\\\\"\n".replace(
          "''",
          '"',
        ),
      'compose.yaml': `services:
  web:
    image: web
    environment: [A, B, C, D, E, F, "ALL=\${A}|\${B}|\${C}|\${D}|\${E}|\${F}"]
`,
    },
  },
  'an env file that is also the .env, and says something to Compose': {
    files: {
      '.env': 'COMPOSE_FILE=elsewhere.yaml\nDOCKER_HOST=unix:///nowhere\nTAG=1\nREST=r\n',
      'compose.yaml': `services:
  web: {image: "web:\${TAG}", env_file: .env, command: ["\${TAG}"]}
`,
    },
  },
  'an env file that is also the .env': {
    files: {
      '.env': 'TAG=1\nREST=r\n',
      'compose.yaml': 'services: {web: {image: "web:${TAG}", env_file: [.env], command: ["${TAG}"]}}\n',
    },
  },
  'manifests that containers look at': {
    files: {
      'compose.yaml': `services:
  web: {image: web, volumes: ["./compose.yaml:/c.yaml", "./compose.override.yml:/o.yaml"]}
`,
      'compose.override.yml': 'services: {web: {environment: {A: "1"}}}\n',
    },
  },
  'files of the repository around the project': {
    files: {
      '../.git': 'gitdir: elsewhere\n',
      'compose.yaml': `include: [../common/compose.yaml]
services:
  web: {image: web, env_file: ../common.env, volumes: ["../site:/site:ro"]}
`,
      '../common.env': 'A=1\n',
      '../site/index.html': 'hello',
      '../common/compose.yaml': `services:
  db: {image: db, env_file: db.env, configs: [c], volumes: ["./data:/data"]}
configs: {c: {file: ./c.conf}}
`,
      '../common/db.env': 'B=2\n',
      '../common/c.conf': 'c',
    },
  },
  'what only a workstation needs': {
    files: {
      'compose.yaml': `x-common: &common {restart: always, x-note: n}
services:
  web:
    <<: *common
    image: web
    build: {context: ., args: {T: "\${TOKEN}"}}
    networks: [front]
    volumes: ["data:/data"]
  debug: {image: debug, profiles: [debug], networks: [back], volumes: ["other:/o"], configs: [c]}
networks: {front: {}, back: {}}
volumes: {data: {}, other: {}}
configs: {c: {content: "\${TOKEN}"}}
`,
      '.env': 'TOKEN=t\n',
    },
  },
};
