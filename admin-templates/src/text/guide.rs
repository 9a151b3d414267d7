//! Strings that lead people on: the API's documentation, the models to choose from, the start of a platform.

use super::catalogue;

catalogue! {
/// Strings of the documentation, of the list of models and of the first hour.
GuideText [] {
    looking_only_help: "You view this portal as one of its people. Only figures and lists can be seen so; nothing can be changed, and secrets and conversations stay closed.", "您正以成员身份查看此门户：仅可查看数据与列表，不能更改，密钥与对话内容不可见。";
    opened_end: "Stop viewing", "结束查看";
    opened_line: "{a} views the portal of {b} as {c}. Nothing can be changed here. It ends {d}.", "{a} 正以 {c} 的身份查看 {b} 的门户（只读），{d} 结束。";
    start_dismiss: "Hide this list", "隐藏此列表";
    start_lede: "What a platform needs before tenants can call it. The sandbox and the demo tenant are for trying out.", "租户开始调用之前所需的准备。沙盒与演示租户仅供试用。";
    start_title: "Getting started", "开始使用";
    open_as: "View portal", "查看门户";
    nav_group_build: "Build", "开发";
    nav_docs: "API docs", "API 文档";
    nav_catalogue: "Models", "模型";
    docs_lede: "Every route of the API with what it takes, what it answers and how to call it.", "API 的全部路由：参数、响应与调用示例。";
    docs_base: "Base URL", "接口地址";
    docs_base_openai: "OpenAI clients", "OpenAI 客户端";
    docs_base_anthropic: "Anthropic clients", "Anthropic 客户端";
    docs_base_gemini: "Google clients", "Google 客户端";
    docs_key: "Send your API key as Authorization: Bearer …; X-API-Key and x-goog-api-key work too. The examples read it from the environment variable WAULE_KEY.", "使用 Authorization: Bearer … 携带 API 密钥，也可使用 X-API-Key 或 x-goog-api-key。示例从环境变量 WAULE_KEY 读取密钥。";
    docs_key_admin: "Routes below /admin/api take the token that POST /admin/api/login answers. The examples read it from the environment variable WAULE_ADMIN.", "/admin/api 下的路由使用 POST /admin/api/login 返回的令牌；示例从环境变量 WAULE_ADMIN 读取。";
    docs_english: "Names and descriptions of fields are in English, as in the document.", "字段名称与说明与接口文档一致，为英文。";
    docs_document: "OpenAPI document", "OpenAPI 文档";
    docs_viewer: "Interactive viewer", "交互式查看器";
    docs_contents: "Contents", "目录";
    docs_search: "Find a route", "查找路由";
    docs_found: "routes found", "个路由";
    docs_none: "No route fits.", "没有匹配的路由。";
    docs_parameters: "Parameters", "参数";
    docs_body: "Body", "请求体";
    docs_any_body: "A JSON object as the client's own documentation describes it.", "与对应客户端文档一致的 JSON 对象。";
    docs_answer: "Answer", "响应";
    docs_no_body: "No content.", "无内容。";
    docs_errors: "Errors", "错误";
    docs_required: "required", "必填";
    docs_inside: "Fields inside", "内含字段";
    docs_link: "Link to this route", "本路由链接";
    models_lede: "What you may call, what it costs you, and how it performed for all tenants in the last seven days.", "您可调用的模型、您的价格，以及最近七天的整体表现。";
    models_kind: "Use", "用途";
    models_context: "Context, tokens", "上下文（tokens）";
    models_output: "Max output, tokens", "最大输出（tokens）";
    models_can: "Capabilities", "能力";
    models_price: "Your price", "您的价格";
    models_success: "Success rate, 7 days", "成功率（7 天）";
    models_first: "First token, median, 7 days", "首 Token 延迟中位数（7 天）";
    models_few: "Too few calls for a figure", "调用过少，暂无数据";
    models_ends: "Retires on", "下线时间";
    models_over: "Retired", "已下线";
    models_use: "Use instead:", "请改用：";
    models_redirected: "Calls go there afterwards.", "之后的调用将转到该模型。";
    models_none: "No model is available to you yet.", "暂无可用模型。";
    models_snippets: "Use it", "如何使用";
    models_clients: "Desktop clients", "桌面客户端";
    models_no_price: "no price yet", "尚未定价";
    models_more: "More rates apply to special cases; GET /api/v1/models has all of them.", "特殊情况另有价格，完整价格见 GET /api/v1/models。";
    models_key_hint: "Replace YOUR_KEY with a key of yours.", "请将 YOUR_KEY 替换为您的密钥。";
    models_docs: "All routes and fields", "全部路由与字段";
    client_step_cherry: "Settings, Model Provider, add one of the type OpenAI; API Host and API Key as below, then add the model by its name.", "设置 → 模型服务，添加类型为 OpenAI 的提供商，填写下列 API 地址与密钥，再按名称添加模型。";
    client_step_chatbox: "Settings, Model Provider, add a custom provider in OpenAI API compatible mode; API Host and API Key as below, then add the model by its name.", "设置 → 模型提供方，添加 OpenAI API 兼容的自定义提供方，填写下列 API 域名与密钥，再按名称添加模型。";
    client_step_webui: "Admin Panel, Settings, Connections, OpenAI API: add a connection with this URL and your key.", "管理员面板 → 设置 → 外部连接 → OpenAI API，添加下列地址与您的密钥。";
    client_step_continue: "In config.yaml, below models:", "在 config.yaml 的 models 下添加：";
    client_step_claude: "Before claude is started:", "启动 claude 之前设置：";
    client_step_cursor: "Settings, Models, API Keys: turn on Override OpenAI Base URL with this address, enter your key as the OpenAI API key, and add the model by its name. Cursor calls from its own servers, so the address must be reachable from the internet.", "Settings → Models → API Keys：启用 Override OpenAI Base URL 并填写下列地址，将您的密钥填为 OpenAI API Key，再按名称添加模型。Cursor 从其服务器发起调用，因此该地址须可从互联网访问。";
}
}
