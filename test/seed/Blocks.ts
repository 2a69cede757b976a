/**
 * Every js and ts block of the seed, `../shared/seed/socket.io-notes.md`, in its order, with the program that runs it.
 *
 * All ports are 0 and all addresses this machine; what a program prints is asserted. The blocks' other stand-ins are named.
 */

/** A block of the seed. */
export interface Block {
  /** The headings above it, joined by " > ". */
  readonly heading: string
  /** Which js or ts block under that heading, from 1. */
  readonly ordinal: number
  /** Of its trimmed text. */
  readonly sha256: string
  /** The program that runs it, with others at times. */
  readonly program?: string
  /** What the program supplies that the block takes for granted. */
  readonly standIns?: string
  /** Why it is not a program. */
  readonly reason?: string
  /** The example that runs it as a process of its own, and is tested elsewhere. */
  readonly example?: { readonly file: string; readonly test: string }
}

/** In the order of the seed. */
export const blocks: ReadonlyArray<Block> = [
  {
    heading: "什么是 Socket.IO",
    ordinal: 1,
    sha256: "64258febbc17847d53d838ea75e433558278bfc679fc973f8f5784bafab57169",
    program: "bare WebSocket server and client",
    standIns: "the package ws itself, which the block is about"
  },
  {
    heading: "什么是 Socket.IO",
    ordinal: 2,
    sha256: "948bc01c2fa3125fccc9b8a70f22b85506a5a6b741d4df18b414b23c13f815c0",
    program: "bare WebSocket server and client",
    standIns: "the package ws itself, which the block is about"
  },
  {
    heading: "什么是 Socket.IO",
    ordinal: 3,
    sha256: "cfb3349fb8445271b80914f6cc8fbd6a660b13b7de6e88c5659fd58b5fa6f2b5",
    program: "first server and client"
  },
  {
    heading: "什么是 Socket.IO",
    ordinal: 4,
    sha256: "623d7fe95b8dd459c14576f6701fc1346e5f8cfaa33cb5911e29fdc1ecca5f03",
    program: "first server and client"
  },
  {
    heading: "Socket.IO特点 > 收到后的回调",
    ordinal: 1,
    sha256: "f23f176308fa8d8a183d288a1e138c8a8e0d4449b31f297676b6e463e03ee47d",
    program: "acknowledgement by callback",
    standIns: "socket"
  },
  {
    heading: "Socket.IO特点 > 收到后的回调",
    ordinal: 2,
    sha256: "e7afc9a344aa862c5e95aaea9ce4745aa87380370a7000016b8f62c399f1ddf4",
    program: "acknowledgement by callback",
    standIns: "socket"
  },
  {
    heading: "Socket.IO特点 > 广播",
    ordinal: 1,
    sha256: "7e9ca855befde8db8c85c0fd2726447db36b22e0bd7ce2a3d10ca7e11eec7dce",
    program: "broadcast to all and to a room",
    standIns: "io"
  },
  {
    heading: "Socket.IO特点 > 多路复用",
    ordinal: 1,
    sha256: "aef58209e6555cf51ebcd7ac684d42cfd1bd6f94e22c3058ac65a93318a55d63",
    program: "namespaces share a connection",
    standIns: "io"
  },
  {
    heading: "服务器初始化 > 初始化 > 只使用Socket",
    ordinal: 1,
    sha256: "5092c5b2f57fa2ad4c5809928574ebd2ccf64aee20ebd8da306070a618be0d37",
    program: "server alone, CommonJS"
  },
  {
    heading: "服务器初始化 > 初始化 > 只使用Socket",
    ordinal: 2,
    sha256: "a04e8d4573d8f781dad906caf0aa42d00a5f33790ef6d4851af7b5d3b642b92e",
    program: "server alone"
  },
  {
    heading: "服务器初始化 > 初始化 > 只使用Socket",
    ordinal: 3,
    sha256: "2543409c5b722ca71c744bcd05563e5c2988385ea33b65f41999a62a8dc588bb",
    program: "server alone"
  },
  {
    heading: "服务器初始化 > 初始化 > 只使用Socket",
    ordinal: 4,
    sha256: "fc568234980a2d572e8722a82795bfd8659090085b8d4e89e9247df43578b360",
    program: "server on a port"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用HTTP服务器",
    ordinal: 1,
    sha256: "2b3a7e132e8cd0f70d553f2a3f2541a7982204845953bf554c2b3ce328dd33de",
    program: "server on an HTTP server"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用HTTPS服务器",
    ordinal: 1,
    sha256: "3ba512e4b98e5463f161d3066bb90db81b4885f198694192b219bda38adadb72",
    program: "server on an HTTPS server",
    standIns: "key and certificate"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用HTTPS服务器",
    ordinal: 2,
    sha256: "cb1f1294e3c09e2700d5addfff441f1d6c45eeed50498447f9bbdc705e605a5f",
    program: "client certificates",
    standIns: "keys and certificates"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用HTTPS服务器",
    ordinal: 3,
    sha256: "93547918feb529fa53f0f5c2dacc1dbcf4e329db460b0dd7924c6dfeba3a2a6f",
    program: "client certificates",
    standIns: "keys and certificates, the server's address"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用HTTP/2服务器",
    ordinal: 1,
    sha256: "ae32ac29ff7efac0b20437ec54ff3fa591c4dd3d1181bb97d6547b5fcdc6398e",
    program: "server on an HTTP/2 server",
    standIns: "key and certificate"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Express",
    ordinal: 1,
    sha256: "2a48b8d8c27327ba993d19c02bf177ea1d399a28b2993aedc93df06e09ade4e7",
    program: "Express"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Express",
    ordinal: 2,
    sha256: "5933fe87b30e1ae7bca7389e7db7cad4ad268a1b35ab7c7d0b3938c0a5757b2e",
    program: "Express as TypeScript compiles it to CommonJS",
    standIns: "require in the place of import * as, which ES modules cannot call"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Koa",
    ordinal: 1,
    sha256: "e928721bf29bf209d8d22709ad9821417e1a90282b9f7975aa35bbaf3deb49ce",
    program: "Koa"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Koa",
    ordinal: 2,
    sha256: "3b33ce47183051ff1d513566c9daefcef14790817b942e3df3131f3a1d7368bd",
    program: "Koa as TypeScript compiles it to CommonJS",
    standIns: "require in the place of import * as, which ES modules cannot call"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 µWebSockets.js",
    ordinal: 1,
    sha256: "d69249f37a3510bfdeee07c2f26424a765da567c575a6af541382939554a732d",
    example: { file: "examples/uws/main.ts", test: "test/frameworks/uws/uws.test.ts" },
    standIns: "npm's µWebSockets.js, whose binary is for Node 20; a port, and listeners where the block has a comment"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Fastify",
    ordinal: 1,
    sha256: "689a866fa6fcbaeed8e0da01c5fceb3be94f681fa1cb6758e8ffc6974d61807d",
    program: "Fastify, CommonJS",
    standIns: "effect-socketio/fastify in the place of fastify-socket.io; listen({ port }), as Fastify 5 wants it"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Fastify",
    ordinal: 2,
    sha256: "4e0e1d8a346f501a5710a4f0ec3b5f012931968ab67f2bbe9d9b2d640881e17e",
    program: "Fastify",
    standIns: "effect-socketio/fastify in the place of fastify-socket.io; listen({ port }), as Fastify 5 wants it"
  },
  {
    heading: "服务器初始化 > 初始化 > 使用 Fastify",
    ordinal: 3,
    sha256: "0d0b24b35beed5246ec4bbf7f606416eb63fcf349fc8323180af5f23b6125498",
    program: "Fastify",
    standIns: "effect-socketio/fastify in the place of fastify-socket.io; listen({ port }), as Fastify 5 wants it"
  },
  {
    heading: "服务器实例 > 服务器#engine",
    ordinal: 1,
    sha256: "ac96918aadc8f96d6ce266aa30393e77f89887f692c5dd36971ac442ff527e01",
    program: "clients of the engine",
    standIns: "io"
  },
  {
    heading: "服务器实例 > 服务器#engine",
    ordinal: 2,
    sha256: "131fbc1571be38b1640d680fe316851eb537c3e7a373f8d4b97512e1e73040e6",
    program: "session ids of one's own",
    standIns: "io"
  },
  {
    heading: "服务器实例 > 服务器#engine",
    ordinal: 3,
    sha256: "6e4aec7e64cef7ff91a5803a20a2865b7856acfbe870432057af84ebf23e0de9",
    program: "headers of the handshake",
    standIns: "io"
  },
  {
    heading: "服务器实例 > 服务器#engine",
    ordinal: 4,
    sha256: "05098a3bbdb0efc1d9f4f26934219e21828d7e655289d32f701e4ed82e0f4ced",
    program: "headers of every request",
    standIns: "io"
  },
  {
    heading: "服务器实例 > 服务器#engine",
    ordinal: 5,
    sha256: "e1aeff80d39c6ab62a8f6a01b5074c8b4619426355101160f0954ff223148de0",
    program: "errors of connections",
    standIns: "io"
  },
  {
    heading: "服务器实例 > 服务器#engine > `socketsJoin`",
    ordinal: 1,
    sha256: "238df2b216370727ac3f4e2c153bc73695388741c5be4fa7c748224705450201",
    program: "socketsJoin",
    standIns: "io, theSocketId"
  },
  {
    heading: "服务器实例 > 服务器#engine > `socketsLeave`",
    ordinal: 1,
    sha256: "08ed38d02085022f8dd0eec7867c434dcbcadb58a8900340f48df440e7ce20a1",
    program: "socketsLeave",
    standIns: "io, theSocketId"
  },
  {
    heading: "服务器实例 > 服务器#engine > `disconnectSockets`",
    ordinal: 1,
    sha256: "bbb9432285b2c48c1ce850a472d144e2ddc3c0ca14226089c9ce190d74456487",
    program: "disconnectSockets",
    standIns: "io, theSocketId"
  },
  {
    heading: "服务器实例 > 服务器#engine > `fetchSockets`",
    ordinal: 1,
    sha256: "0b92f5a802aa1cf1c5ffcf296df97d9ee06d2ff70286aacbc55a456a443c469e",
    program: "fetchSockets",
    standIns: "io, theSocketId"
  },
  {
    heading: "服务器实例 > 服务器#engine > `fetchSockets`",
    ordinal: 2,
    sha256: "c5dac55404d3874672a5690340232e8f22369cbdff6e7c7539f351c77fa9ef63",
    program: "what a fetched socket can do",
    standIns: "sockets, arguments of the calls"
  },
  {
    heading: "服务器实例 > 服务器#engine > `fetchSockets`",
    ordinal: 3,
    sha256: "3dfe3a3d513d0dad1bffcec3b561376689ac62fe114151a70f1fc2e2f15f547f",
    program: "data of a socket on another server",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "服务器实例 > 服务器#engine > `serverSideEmit`",
    ordinal: 1,
    sha256: "f1085a84bfedfc678e7cb75b6409541ac678c214b4c88d1c0bf5131895dea502",
    program: "serverSideEmit",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "服务器实例 > 服务器#engine > `serverSideEmit`",
    ordinal: 2,
    sha256: "1443c0cad0e67d088e89fb321bda3d5e1925e7794e532dce439e5fbf27cbfb25",
    program: "serverSideEmit",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "服务器实例 > 服务器#engine > `serverSideEmit`",
    ordinal: 3,
    sha256: "bfa8d064a9b748fb5490eff57fd204bfc1368ac024c5a931f2baf4f479467752",
    program: "serverSideEmit with acknowledgement",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "服务器实例 > 服务器#engine > `serverSideEmit`",
    ordinal: 4,
    sha256: "d0cea5106ea278316692c1e2bdc6d720c39317c9b06f61ab55565ccfa0277a92",
    program: "serverSideEmit with many arguments",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "服务器实例 > 服务器#engine > `serverSideEmit`",
    ordinal: 5,
    sha256: "b2b543663008ca3dc63ee196e15b0ca0fc405088c10ec299afa4f978a51af15f",
    program: "serverSideEmit that is not answered in time",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "服务器实例 > Events > `connection`",
    ordinal: 1,
    sha256: "5098dd0cd195a6d21069f71baf20e959a4c5e7fdb23fbf054162e94b6cc5e06e",
    program: "connection of a server",
    standIns: "io"
  },
  {
    heading: "Socket 实例（服务器端） > Socket#id",
    ordinal: 1,
    sha256: "6093e63e715ec5a135c1a5dc5ea432dfc78154f96768e95eda53ff5d722e6f46",
    program: "id on both sides",
    standIns: "io, socket"
  },
  {
    heading: "Socket 实例（服务器端） > Socket#id",
    ordinal: 2,
    sha256: "c81f8573f6e58060be8d4021b92ebec711f42dea5a14619644c2745ee8a0cbcb",
    program: "private messages",
    standIns: "io"
  },
  {
    heading: "Socket 实例（服务器端） > Socket#rooms",
    ordinal: 1,
    sha256: "a0462b12d33e399938edb5c9a130dfccb7e9784d4ee53197f3a056568228c23a",
    program: "rooms",
    standIns: "io"
  },
  {
    heading: "Socket 实例（服务器端） > Socket#data",
    ordinal: 1,
    sha256: "3dfe3a3d513d0dad1bffcec3b561376689ac62fe114151a70f1fc2e2f15f547f",
    program: "data of a socket on another server",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "Socket 实例（服务器端） > Socket#conn",
    ordinal: 1,
    sha256: "1a6a2c84681e0f4393f653a921e1ccfabb2ac87dddd6106db8410193ede98d7a",
    program: "the connection below",
    standIns: "io"
  },
  {
    heading: "Socket 实例（服务器端） > Additional attributes",
    ordinal: 1,
    sha256: "50fa0c58d97d2e3f89f2e48ff448e8ed33c27343432bef6ccce3f3710139c04d",
    program: "attributes of one's own",
    standIns: "io, fetchUser; next() after success, which the block forgets"
  },
  {
    heading: "Socket 实例（服务器端） > Socket middlewares",
    ordinal: 1,
    sha256: "e16a29fc20949c5d446a45214f2d89c387307ee272b7dde418cedd60c08aa23a",
    program: "middleware of a socket",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（服务器端） > Socket middlewares",
    ordinal: 2,
    sha256: "7db880900ed62b71f9bc7c115cfd1a0f908c05eab8370b3f71b6f4958caee21a",
    program: "middleware of a socket refuses an event",
    standIns: "io, isUnauthorized"
  },
  {
    heading: "Socket 实例（服务器端） > Events > `disconnect`",
    ordinal: 1,
    sha256: "4073ad009263bbdcdb8adb23421ebf1e2df0eaf35dc23d500584dd440e5e8a3d",
    program: "disconnect on the server",
    standIns: "io"
  },
  {
    heading: "Socket 实例（服务器端） > Events > `disconnecting`",
    ordinal: 1,
    sha256: "ade01be803d9b06d8fba0d682736cddaeb326a83dadaaeef67fa33d6d71d55de",
    program: "disconnecting",
    standIns: "io"
  },
  {
    heading: "Socket 实例（服务器端） > Events > `disconnecting`",
    ordinal: 2,
    sha256: "9d1ecf43affb7fba7095575ccd5492d3df2edc192a2837e927d632f9741bebfd",
    program: "reserved names on the server",
    standIns: "socket"
  },
  {
    heading: "中间件 > 注册中间件",
    ordinal: 1,
    sha256: "b83df55f73792231afd0b36cd76733622200d2c8ea0b35405b56a1fd7f25607e",
    program: "middleware of a namespace",
    standIns: "io, isValid"
  },
  {
    heading: "中间件 > 注册中间件",
    ordinal: 2,
    sha256: "0750929d9b4f91c719ed2bbe024cc12ac5bee270b6fc7ff91e6de4ddf678cbcb",
    program: "client that leaves during a middleware",
    standIns: "io, shorter times"
  },
  {
    heading: "中间件 > 发送凭据",
    ordinal: 1,
    sha256: "1d5369334ff59ae761c759718b46d4ba7d80c04d03c09fff91ab80ae46bd0c04",
    program: "credentials",
    standIns: "the server's address"
  },
  {
    heading: "中间件 > 发送凭据",
    ordinal: 2,
    sha256: "a0fdb73558c42a022ce21a925cd662e0e8ccccfe932a756a8598b43aa7e546d8",
    program: "credentials",
    standIns: "io; next(), which the block leaves out"
  },
  {
    heading: "中间件 > 处理中间件错误",
    ordinal: 1,
    sha256: "786d500b33e39628f126cf1a1b4a189fccc9f3b744e512a2f436bf88508bae5f",
    program: "message of a refusal",
    standIns: "socket"
  },
  {
    heading: "中间件 > 处理中间件错误",
    ordinal: 2,
    sha256: "52dfcb18329f62df24738114aba729a767d9c64dbf1145fb383a47c18484a9ec",
    program: "details of a refusal",
    standIns: "io, socket"
  },
  {
    heading: "中间件 > 与Express中间件的兼容性",
    ordinal: 1,
    sha256: "a8a1a9e53f27925fc0b1c9230598f3fe3756cf78a3eaae6f73668422e535f01f",
    program: "express-session",
    standIns: "io, a middleware"
  },
  {
    heading: "中间件 > 与Express中间件的兼容性",
    ordinal: 2,
    sha256: "a2493e25ab1e4fa0df6debb99e4ae9c53fd214548383a105f42cef38f5ccd1f7",
    program: "express-session",
    standIns: "io, an Express application with the same session"
  },
  {
    heading: "中间件 > 与Express中间件的兼容性",
    ordinal: 3,
    sha256: "8926124c14615efbd06bf33123cc8b423ffe301df9d92c22d62c679c632344da",
    program: "Passport",
    standIns: "io, an Express application to log in with"
  },
  {
    heading: "反向代理 > NginX",
    ordinal: 1,
    sha256: "eacb2a4fe99fde24b985939e226061e7dc0474d728e7c33473f1da84f6d2184b",
    program: "path of one's own"
  },
  {
    heading: "反向代理 > NginX",
    ordinal: 2,
    sha256: "791132ea95fbc56cadd99792b797c244160069bf2bb7977c467493573d48de54",
    program: "path of one's own",
    standIns: "the server's address"
  },
  {
    heading: "反向代理 > Node.js `http-proxy`",
    ordinal: 1,
    sha256: "966fd436590f0549fca527137fd7280bc940eecd2df79a760af9fcb7ec1dd9c1",
    program: "http-proxy in front",
    standIns: "the target's address"
  },
  {
    heading: "使用多个节点 > 粘性负载平衡 > 为什么需要粘性会话",
    ordinal: 1,
    sha256: "70e0a26d1314c720e61cd92ecfd69269fe31346402c9ce350279d6088d8dc75d",
    program: "WebSocket only",
    standIns: "the server's address"
  },
  {
    heading: "使用多个节点 > 粘性负载平衡 > 启用粘性会话的方式",
    ordinal: 1,
    sha256: "d306d520be651b0ce5a256dfb7d98126f83415c7f10e2c1b26ebe8cb06bd084e",
    program: "sticky sessions by cookie across origins",
    standIns: "httpServer, a balancer's cookie"
  },
  {
    heading: "使用多个节点 > 粘性负载平衡 > 启用粘性会话的方式",
    ordinal: 2,
    sha256: "9e997ff850cde4a2672cd26b8abc5f40da4d520929802a5f18d9f45570f0ef77",
    program: "sticky sessions by cookie across origins",
    standIns: "the server's address, a balancer"
  },
  {
    heading: "使用多个节点 > 粘性负载平衡 > 使用 Node.js 集群",
    ordinal: 1,
    sha256: "bfd6fe9b6e03f595813bcb854c29913db2e8b71db30516b118701e80b9821dee",
    program: "cluster with sticky sessions"
  },
  {
    heading: "处理 CORS",
    ordinal: 1,
    sha256: "f3f67b50949db0ae48d86644dfc46630e1b46fff768c120976b2a05c03725a2d",
    program: "origin allowed"
  },
  {
    heading: "处理 CORS",
    ordinal: 2,
    sha256: "db0a17355a698b30141bc31377f5ba99f89c56aa2fb87077089fa901ee110c64",
    program: "headers and credentials across origins",
    standIns: "httpServer, the server's address"
  },
  {
    heading: "处理 CORS",
    ordinal: 3,
    sha256: "a2dadd33758abc36870532a085857d44a7a12c579aad9df2c0762bf948c2bbc8",
    program: "page on another port of localhost",
    standIns: "httpServer"
  },
  {
    heading: "处理 CORS",
    ordinal: 4,
    sha256: "232e99569fd2806db9d51b55efd8d7ef34ac0c9fb22a774547d185b6d41599b7",
    program: "no other origin at all",
    standIns: "httpServer"
  },
  {
    heading: "处理 CORS > 故障排除 > 如果 CORS 标头“Access-Control-Allow-Origin”为“*”，则不支持凭据",
    ordinal: 1,
    sha256: "49b51d0c74fca98996fb46169bf3b7416e86f3b4989977a548d9653e3a72c07d",
    program: "credentials need an origin that is named"
  },
  {
    heading: "客户端初始化",
    ordinal: 1,
    sha256: "43ed3f1fc17cdb59dbdf04c28437a999036bb2bcfd73d498d527be5f0c9758b5",
    program: "client from npm"
  },
  {
    heading: "客户端初始化 > 来自同一域",
    ordinal: 1,
    sha256: "44dfb2fdb6966b22e3e349f2174bfc72f647ff49a7ba1b3096f88d889a0cec0a",
    program: "from the same domain",
    standIns: "location"
  },
  {
    heading: "客户端初始化 > 来自不同的域",
    ordinal: 1,
    sha256: "d45a77335aa2f0a48a59e8e314da7e9b0c6278b3659e5af634f8a0e6ffbc21d2",
    program: "from another domain",
    standIns: "location, the server's address"
  },
  {
    heading: "客户端初始化 > 来自不同的域 > 信息",
    ordinal: 1,
    sha256: "c554475f68139bcc55aaf5704887362b6c47520ca2d026cc5efaf8952559b5b7",
    program: "ways to write an address",
    standIns: "location, the server's address"
  },
  {
    heading: "客户端初始化 > 自定义命名空间",
    ordinal: 1,
    sha256: "69c9f6d4dde9fdaba9c6952bb0e99839cfd3ca26caa690cf3134011ddc8ea7dc",
    program: "namespace in the address",
    standIns: "location, the server's address"
  },
  {
    heading: "Socket 实例（客户端） > Socket#id",
    ordinal: 1,
    sha256: "cd7a34491cd18396f7732ed0a3834634a74f976ab6d1a486583906e6c65360ca",
    program: "id on both sides, until the disconnection",
    standIns: "io, socket"
  },
  {
    heading: "Socket 实例（客户端） > Socket#connected",
    ordinal: 1,
    sha256: "25fe4b0c2047cf9891c46946df33e6b5cea8bd7e8295a9b8cc4530e4e6aaed79",
    program: "connected or not",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > Socket#io",
    ordinal: 1,
    sha256: "f6c37749a93280a42bd668d9c49c264fbd5eef3898c23856c7cbdc1ef7985f7a",
    program: "the client's engine",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > 事件",
    ordinal: 1,
    sha256: "e4d4e39c9d84bb6fd6eea685f15f931074b7ed4810d9e48e3647aff5aad96826",
    program: "events of the manager",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > 事件 > `connect`",
    ordinal: 1,
    sha256: "6b6cdf8b9f55571b1f4130e2d8877204841363140c1cb1ad39ba35b3e483ab5e",
    program: "connect, at first and again",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > 事件 > `connect`",
    ordinal: 2,
    sha256: "2731ac93f6e1f00757aa67bd103d2d39a13126b4e48a96c496db03a34b092c7c",
    program: "listeners added in connect add up",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > 事件 > `connect_error`",
    ordinal: 1,
    sha256: "0392cab0d02116b9b55551349ae36230027a6b32e1f6f7ec8c77873e32b8102f",
    program: "connecting again after a refusal",
    standIns: "socket, localStorage, shorter times"
  },
  {
    heading: "Socket 实例（客户端） > 事件 > `disconnect`",
    ordinal: 1,
    sha256: "2b28c001daa268b39f1c8dc5ad309b1419a15163d4395e94174e7db8c74d31d4",
    program: "disconnect on the client",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > 事件 > `disconnect`",
    ordinal: 2,
    sha256: "38c1a9d20cb01cbc7758224786ae29d519f73f39313150723c705385f95b6cb4",
    program: "connecting again after a disconnection by the server",
    standIns: "socket"
  },
  {
    heading: "Socket 实例（客户端） > 事件 > `disconnect`",
    ordinal: 3,
    sha256: "9d1ecf43affb7fba7095575ccd5492d3df2edc192a2837e927d632f9741bebfd",
    program: "reserved names on the client",
    standIns: "socket"
  },
  {
    heading: "离线行为 > 缓冲事件",
    ordinal: 1,
    sha256: "178f77ec9467d6e6e1874637f8119a9fdc96a4d9e84a1d61f0c1904a5e0f1872",
    program: "emitting only while connected",
    standIns: "socket, arguments of the call"
  },
  {
    heading: "离线行为 > 缓冲事件",
    ordinal: 2,
    sha256: "82570c00dfe0c7d1f5418667435abb57fccc89e1d50449cdce503a37b1e9b175",
    program: "volatile while not connected",
    standIns: "socket, arguments of the call"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 1,
    sha256: "bfb25936b6501b654de7ffd62cb988f4d3c1b234f575cfb26ca54ab5627c94c2",
    program: "an event to the client",
    standIns: "io"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 2,
    sha256: "018abf2cab4a0de238e690dd1c35f69d4b1b80034dd07182ed809dd6b75d3837",
    program: "an event to the client",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 3,
    sha256: "926f7f190a0a441f5b9222e1160c223e2bef8f484fcb3bd0932c284b25156666",
    program: "an event to the server",
    standIns: "io"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 4,
    sha256: "6ba46e1de13220c723ea2272e6249486f72ce74bb0d679a72f6afdde9357d2bf",
    program: "an event to the server",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 5,
    sha256: "7c3de9020b4acff8d1b611055cc43022b78437ebe5d5fd839320f0346d5eb9d9",
    program: "any number of arguments",
    standIns: "io"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 6,
    sha256: "fd40946134e68572a501b85f512c178b108eff02485ea3e3a48211dbed9cff4c",
    program: "any number of arguments",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 7,
    sha256: "fc75d6236e42b2849919a8e3447c1516a6b36ef10d1f13530811bf4e5c14d143",
    program: "objects need no JSON.stringify",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 8,
    sha256: "1fdf567a1086b9166a57f4f274ad1ba3e5d7d2fd7303649f2f68402e10ef9569",
    program: "maps and sets by hand, dates by themselves",
    standIns: "myMap, mySet"
  },
  {
    heading: "发送事件 > 基本的 emit",
    ordinal: 9,
    sha256: "9a8b80922954344f8ef10925a3b043f7b1cfde71faa001cf6dbd82421f503d8b",
    program: "toJSON",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 回调",
    ordinal: 1,
    sha256: "eda2d69f46b2efac5a2faf5e78f84831d3af7149a2e875683314b1d2dbea22f3",
    program: "acknowledgement with arguments",
    standIns: "io"
  },
  {
    heading: "发送事件 > 回调",
    ordinal: 2,
    sha256: "8c4263436147318298f53c3e32e2029045cbe43dddc233e55d5896671304fbea",
    program: "acknowledgement with arguments",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 超时",
    ordinal: 1,
    sha256: "5e0de20a859023977f7f2d427403f271816346018917b89ca2854be0585d1e1a",
    program: "timeout of the client",
    standIns: "socket, a shorter time"
  },
  {
    heading: "发送事件 > 超时",
    ordinal: 2,
    sha256: "85bbf7fe8f6c21dc6ee42c935f42da4320ac671ea55c625706055137f25b2788",
    program: "timeout and acknowledgement",
    standIns: "socket, a shorter time"
  },
  {
    heading: "发送事件 > 易失性事件",
    ordinal: 1,
    sha256: "70dee1255272ed119b0f1e23d50e20038cedf12d8d985357ac0b98e07fcee6ae",
    program: "volatile event",
    standIns: "socket"
  },
  {
    heading: "发送事件 > 易失性事件",
    ordinal: 2,
    sha256: "f44e05215942ec21918ee9e1fe90e1ece98f261f5c4f1e88c8ac96373a359fdd",
    program: "volatile through a restart of the server",
    standIns: "io"
  },
  {
    heading: "发送事件 > 易失性事件",
    ordinal: 3,
    sha256: "c84f9b2533db1ff14e6465a1cba112ea435ad1dbe59cf21efe71466150777499",
    program: "volatile through a restart of the server",
    standIns: "socket, shorter times"
  },
  {
    heading: "监听事件 > EventEmitter 方法 > socket.on(eventName, listener)",
    ordinal: 1,
    sha256: "023ca09fbfa4f30044a6ac7160cdd7195565c50aae6bba45e3b59e547920af70",
    program: "on",
    standIns: "socket"
  },
  {
    heading: "监听事件 > EventEmitter 方法 > socket.once(eventName, listener)",
    ordinal: 1,
    sha256: "88ac8582aa6a0a8530999ae4fe85f971dab6038d9cc426149dd97d5062b05f45",
    program: "once",
    standIns: "socket"
  },
  {
    heading: "监听事件 > EventEmitter 方法 > socket.off(eventName, listener)",
    ordinal: 1,
    sha256: "cd2b41e61e9b9d73bb09c61dbc6857f4a9b07ec6d0db4bcf47b528b246056345",
    program: "off",
    standIns: "socket"
  },
  {
    heading: "监听事件 > EventEmitter 方法 > socket.removeAllListeners([eventName])",
    ordinal: 1,
    sha256: "57576f3bb76c87e9c245fc514fb8a65d853b5af7b950d76f2f259b6164d04401",
    program: "removeAllListeners",
    standIns: "socket"
  },
  {
    heading: "监听事件 > Catch-all 侦听器 > socket.onAny(listener)",
    ordinal: 1,
    sha256: "9f38e972230fec14f4a346585ea33e3ced1a8a8b50e197a3f96eeeabb00f6d3c",
    program: "onAny",
    standIns: "socket"
  },
  {
    heading: "监听事件 > Catch-all 侦听器 > socket.prependAny(listener)",
    ordinal: 1,
    sha256: "720984eb7785ec731f64dd793edf25de7119598b9f40dbe817566b6eb0882fde",
    program: "prependAny",
    standIns: "socket"
  },
  {
    heading: "监听事件 > Catch-all 侦听器 > socket.offAny([listener])",
    ordinal: 1,
    sha256: "5ab6d328a448358bcdee8e3abeda4361fdcfea98d9dbcc7368876780e6fd9dd5",
    program: "offAny",
    standIns: "socket"
  },
  {
    heading: "监听事件 > 验证",
    ordinal: 1,
    sha256: "54f761ec4fae3760b51fcb5c36a9b6259a3ab61a7e4ce16358e9e752c2236066",
    program: "validation with joi",
    standIns: "io"
  },
  {
    heading: "监听事件 > 错误处理",
    ordinal: 1,
    sha256: "f2521d1fdd25cfefc56f86d95cc3a0fd1e114610aaf60363eb00998b0fb8991f",
    program: "errors answered by hand",
    standIns: "io, findItems"
  },
  {
    heading: "监听事件 > 错误处理",
    ordinal: 2,
    sha256: "191b620bbe2ba78bd36f1463a29a0b4441754f461664aa02401738d551da47db",
    program: "captureRejections",
    standIns: "io, findProducts"
  },
  {
    heading: "广播事件 > 给所有连接的客户端",
    ordinal: 1,
    sha256: "fe9d33a3dc634821504df0b70b990832c3d603b19cfb3a98d23403fb6e0546ab",
    program: "to all",
    standIns: "io"
  },
  {
    heading: "广播事件 > 除发送者外的所有连接的客户端",
    ordinal: 1,
    sha256: "ce17710851987d294470bd689ce08c874bcf22f4d2762b9d6a02594b6c88e7a6",
    program: "to all but the sender",
    standIns: "io"
  },
  {
    heading: "广播事件 > 使用多个 Socket.IO 服务器",
    ordinal: 1,
    sha256: "1945e4753c56c7f6290664e5d5df3cf427476afe5187e477a8520667814d40a5",
    program: "to the clients of this server",
    standIns: "two servers joined by an adapter in one process"
  },
  {
    heading: "房间 > 加入和离开",
    ordinal: 1,
    sha256: "b61aa65791cbb3da4b05622d7b3bf13c9f322ba50eff05b95fa785f8ed09baa1",
    program: "to a room",
    standIns: "io"
  },
  {
    heading: "房间 > 加入和离开",
    ordinal: 2,
    sha256: "cecebdb6d29787c63ab81ec7c36177868350705da29e2dfb6b4b5486e10c57de",
    program: "to a room",
    standIns: "io"
  },
  {
    heading: "房间 > 加入和离开",
    ordinal: 3,
    sha256: "5f23840efd41a5c4b663cd3fae9382247ff3abdf48298597fdab71d2caa90fdf",
    program: "to several rooms",
    standIns: "io"
  },
  {
    heading: "房间 > 加入和离开",
    ordinal: 4,
    sha256: "3e0305044a45988e49e03bb92690d49ac039e854dd5da7b3b42359d417699afe",
    program: "to the others in a room",
    standIns: "io"
  },
  {
    heading: "房间 > 默认房间",
    ordinal: 1,
    sha256: "1efa2957eb9a409b872bc20d80b6dac539a32d51cab4a9ed31d144bb4758ac36",
    program: "private messages",
    standIns: "io"
  },
  {
    heading: "房间 > 示例用例",
    ordinal: 1,
    sha256: "271491f550962279044104b70ce9bbf9340f3de18d477e92eb393674a5eb2bca",
    program: "devices of a user",
    standIns: "io, fetchUserId"
  },
  {
    heading: "房间 > 示例用例",
    ordinal: 2,
    sha256: "9a06b87a539a872fe41b821fa1d54650d3629350bd2e3743e4212f82dc263fe8",
    program: "notifications of an entity",
    standIns: "io, fetchProjects"
  },
  {
    heading: "房间 > 断开",
    ordinal: 1,
    sha256: "10add8cc53d386cc90a67575d03b8a33685a4132169930e70297e540fefb632d",
    program: "rooms at the disconnection",
    standIns: "io"
  },
  {
    heading: "房间 > 实施细节",
    ordinal: 1,
    sha256: "f00ac29299cc5595c1147564a0b6334a0a7c484ede983b8973819031b0f15e0d",
    program: "rooms and sids of the adapter",
    standIns: "io"
  },
  {
    heading: "房间 > 房间事件",
    ordinal: 1,
    sha256: "cc28a1ae4af865ecb494f43b666d4830a9365ffd8b70246ea2e7591608941422",
    program: "events of rooms",
    standIns: "io"
  }
]
