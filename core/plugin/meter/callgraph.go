package meter

// The call graph has a node for every function of the module's own and one for every signature: a call through a table
// goes to the signature, and from there to all functions of that signature whose address is taken.

func (m *module) funcNode(f uint32) uint32 { return f - uint32(len(m.imports)) }

func (m *module) typeNode(t uint32) uint32 {
	return uint32(len(m.funcs)-len(m.imports)) + m.types[t].same
}

// findRecursive marks the functions that can be entered again while they run: the members of the call graph's cycles.
func (m *module) findRecursive() {
	g := m.graph()
	for node := range g.order {
		if g.order[node] == 0 {
			g.visit(uint32(node))
		}
	}
	for i := range m.bodies {
		m.bodies[i].recursive = g.cyclic[i]
	}
}

// graph holds the edges in one slice, and the state of Tarjan's search for strongly connected components. The search
// keeps its own stack: a module may nest calls a hundred thousand deep.
type graph struct {
	edges  []uint32
	out    []span
	order  []uint32 // when a node was first seen, from 1
	low    []uint32
	open   []bool // on the stack of nodes whose component is not known yet
	cyclic []bool
	stack  []uint32
	path   []uint32
	next   []int // by node: its next edge to look at
	count  uint32
}

func (m *module) graph() *graph {
	nodes := len(m.bodies) + len(m.types)
	g := &graph{edges: m.calls, out: make([]span, nodes), order: make([]uint32, nodes), low: make([]uint32, nodes),
		open: make([]bool, nodes), cyclic: make([]bool, nodes), next: make([]int, nodes)}
	for i := range m.bodies {
		g.out[i] = m.bodies[i].calls
	}
	byType := make([][]uint32, len(m.types))
	for i := len(m.imports); i < len(m.taken); i++ {
		if m.taken[i] {
			same := m.types[m.funcs[i]].same
			byType[same] = append(byType[same], m.funcNode(uint32(i)))
		}
	}
	for t, targets := range byType {
		from := len(g.edges)
		g.edges = append(g.edges, targets...)
		g.out[len(m.bodies)+t] = span{from, len(g.edges)}
	}
	for i := range g.next {
		g.next[i] = g.out[i].from
	}
	return g
}

func (g *graph) enter(n uint32) {
	g.count++
	g.order[n], g.low[n], g.open[n] = g.count, g.count, true
	g.stack = append(g.stack, n)
	g.path = append(g.path, n)
}

func (g *graph) visit(root uint32) {
	g.enter(root)
	for len(g.path) > 0 {
		n := g.path[len(g.path)-1]
		if g.next[n] == g.out[n].to {
			g.leave(n)
			continue
		}
		to := g.edges[g.next[n]]
		g.next[n]++
		switch {
		case to == n:
			g.cyclic[n] = true
		case g.order[to] == 0:
			g.enter(to)
		case g.open[to]:
			g.low[n] = min(g.low[n], g.order[to])
		}
	}
}

// leave ends the visit of n; if n is the first seen of its component, the component is what lies above it.
func (g *graph) leave(n uint32) {
	g.path = g.path[:len(g.path)-1]
	if len(g.path) > 0 {
		caller := g.path[len(g.path)-1]
		g.low[caller] = min(g.low[caller], g.low[n])
	}
	if g.low[n] != g.order[n] {
		return
	}
	alone := g.stack[len(g.stack)-1] == n
	for {
		top := g.stack[len(g.stack)-1]
		g.stack = g.stack[:len(g.stack)-1]
		g.open[top] = false
		g.cyclic[top] = g.cyclic[top] || !alone
		if top == n {
			return
		}
	}
}
